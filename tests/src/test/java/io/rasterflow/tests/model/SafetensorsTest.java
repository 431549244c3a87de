package io.rasterflow.tests.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.checkpoint.WeightsHash;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
    @TempDir
    Path directory;

    private Path file(long headerLength, String header, int dataBytes) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(headerLength).put(json);
        return Files.write(directory.resolve("x.safetensors"), bytes.array());
    }

    private Path file(String header, int dataBytes) throws IOException {
        return file(header.getBytes(StandardCharsets.UTF_8).length, header, dataBytes);
    }

    private static void assertRefused(Path file) {
        IOException refused = assertThrows(IOException.class, () -> Safetensors.read(file));
        assertTrue(refused.getMessage().contains(file.toString()), refused.getMessage());
        assertEquals(1, refused.getMessage().lines().count(), refused.getMessage());
    }

    @Test
    void tensorsAndMetadataComeBack() throws IOException {
        SortedMap<String, Tensor> tensors = new TreeMap<>(Map.of(
                "scalar", Models.tensor(new float[] {Float.NaN}),
                "empty", Models.tensor(new float[0], 0, 4),
                "matrix", Models.tensor(new float[] {1, -2, 3, 4}, 2, 2)));
        Path file = directory.resolve("t.safetensors");
        Safetensors.write(file, tensors, Map.of("note", "ünïcode \"quoted\""));
        Safetensors read = Safetensors.read(file);
        assertEquals(Map.of("note", "ünïcode \"quoted\""), read.metadata());
        assertEquals(tensors.keySet(), read.tensors().keySet());
        assertArrayEquals(new long[] {0, 4}, read.tensor("empty").shape());
        assertArrayEquals(new long[0], read.tensor("scalar").shape());
        assertEquals(WeightsHash.sha256(tensors), WeightsHash.sha256(read.tensors()));
    }

    @Test
    void integersAreRead() throws IOException {
        Path file = file("{\"n\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]}}", 16);
        assertArrayEquals(new long[2], Safetensors.read(file).longs("n"));
    }

    @Test
    void theHashIsOfLittleEndianFloatsInNameOrder() {
        SortedMap<String, Tensor> tensors =
                new TreeMap<>(Map.of("b", Models.tensor(new float[] {2}, 1), "a", Models.tensor(new float[] {1}, 1)));
        // printf '\x00\x00\x80\x3f\x00\x00\x00\x40' | sha256sum
        assertEquals("b9c80b5adeca450753a16950c3cc655d271f7bef7a485bc83f112b72fef21d37", WeightsHash.sha256(tensors));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 4096, 1L << 40})
    void aHeaderLengthThatCannotBeIsRefused(long length) throws IOException {
        assertRefused(file(length, "{}", 0));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "{",
                "nonsense",
                "{\"t\":1}",
                "{\"t\":{}}",
                "{\"t\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[0,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807],\"data_offsets\":[0,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                        + "\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                        + "\"u\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
                "{\"__metadata__\":{\"a\":1}}",
                "{}"
            })
    void aHeaderThatDoesNotFitItsDataIsRefused(String header) throws IOException {
        assertRefused(file(header, 8));
    }

    @Test
    void aFileCutOffAnywhereIsRefused() throws IOException {
        Path whole = directory.resolve("whole.safetensors");
        Safetensors.write(whole, new TreeMap<>(Map.of("t", Models.tensor(new float[] {1, 2}, 2))), Map.of());
        byte[] bytes = Files.readAllBytes(whole);
        for (int length = 0; length < bytes.length; length++) {
            Path cut = Files.write(directory.resolve("cut.safetensors"), Arrays.copyOf(bytes, length));
            assertRefused(cut);
        }
    }

    @Test
    void aMissingFileIsNamed() {
        assertRefused(directory.resolve("absent.safetensors"));
    }
}
