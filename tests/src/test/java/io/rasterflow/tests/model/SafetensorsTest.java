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
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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
                "{\"t\":{\"dtype\":\"F8_E5M2\",\"shape\":[8],\"data_offsets\":[0,8]}}",
                "{\"t\":{\"dtype\":[[]],\"shape\":[2],\"data_offsets\":[0,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[[2]],\"data_offsets\":[0,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"shape\":[2],\"data_offsets\":[0,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"extra\":{}}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[2,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,8]}}",
                "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}{}",
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

    @ParameterizedTest
    @ValueSource(strings = {"[", "{\"a\":"})
    void aDeepHeaderIsRefusedAtItsFirstLevel(String level) throws IOException {
        assertRefused(file(level.repeat(1_000_000), 0));
        assertRefused(file("{\"t\":" + level.repeat(1_000_000), 0));
    }

    @Test
    void otherFloatingTypesAreReadAsFloat32() throws IOException {
        String header = "{\"bf16\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[0,8]},"
                + "\"f16\":{\"dtype\":\"F16\",\"shape\":[8],\"data_offsets\":[8,24]},"
                + "\"f64\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[24,40]},"
                + "\"mask\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[40,41]}}";
        Path file = file(header, 41);
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(bytes.capacity() - 41);
        for (int bits : new int[] {0x3F80, 0xC049, 0x7F80, 0x0001}) {
            bytes.putShort((short) bits);
        }
        for (int bits : new int[] {0x3C00, 0xC248, 0x7C00, 0xFC00, 0x0001, 0x83FF, 0x7BFF, 0x0400}) {
            bytes.putShort((short) bits);
        }
        bytes.putDouble(-1.0 / 3).putDouble(1e300);
        Files.write(file, bytes.array());
        Safetensors read = Safetensors.read(file);
        float infinity = Float.POSITIVE_INFINITY;
        assertArrayEquals(new float[] {1, -3.140625f, infinity, 0x1p-133f}, values(read.tensor("bf16")));
        float[] halves = {1, -3.140625f, infinity, -infinity, 0x1p-24f, -0x1.ff8p-15f, 65504, 0x1p-14f};
        assertArrayEquals(halves, values(read.tensor("f16")));
        assertArrayEquals(new float[] {-1f / 3, infinity}, values(read.tensor("f64")));
        assertEquals(3, read.tensors().size(), "the mask holds no numbers");
        assertTrue(assertThrows(IOException.class, () -> read.floats("mask"))
                .getMessage()
                .contains("BOOL"));
    }

    private static float[] values(Tensor tensor) {
        float[] values = new float[tensor.values().capacity()];
        tensor.values().get(0, values);
        return values;
    }

    @Test
    void aFileOfFiveGibibytesIsMappedInWindows() throws IOException {
        // Sparse: the file system stores only what is written. Tensors lie across the borders of windows.
        long first = (1L << 30) + (1L << 29);
        long large = (1L << 31) - 4096;
        long end = first + large + first + 8;
        String header = String.format(
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[0,%d]},"
                        + "\"b\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[%d,%d]},"
                        + "\"c\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[%d,%d]},"
                        + "\"d\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[%d,%d]}}",
                first / 4,
                first,
                large / 4,
                first,
                first + large,
                first / 4,
                first + large,
                first + large + first,
                end - 8,
                end);
        Path file = file(header, 0);
        long start = Files.size(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            for (long at : new long[] {first - 8, first + large - 8, end - 8}) {
                one.clear().putFloat(at / 8f).putFloat(-1).flip();
                channel.write(one, start + at);
            }
        }
        Safetensors read = Safetensors.read(file);
        assertEquals((first - 8) / 8f, read.tensor("a").values().get((int) (first / 4) - 2));
        assertEquals((first + large - 8) / 8f, read.tensor("b").values().get((int) (large / 4) - 2));
        assertEquals(0, read.tensor("c").values().get((int) (first / 4) - 1));
        assertArrayEquals(new float[] {(end - 8) / 8f, -1}, values(read.tensor("d")));
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
