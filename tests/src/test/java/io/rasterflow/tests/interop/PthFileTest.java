package io.rasterflow.tests.interop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.checkpoint.ElementType;
import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.TensorFile;
import io.rasterflow.model.pickle.PthFile;
import io.rasterflow.tests.Paired;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.TreeSet;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Paired
class PthFileTest {
    private static final String TENSOR = "ctorch._utils\n_rebuild_tensor_v2\n";

    @TempDir
    Path directory;

    /** Latin-1 text stands for bytes. */
    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String word(String text) {
        return "X" + (char) text.length() + "\0\0\0" + text;
    }

    private static String number(long value) {
        StringBuilder text = new StringBuilder("\u008a\b");
        for (int i = 0; i < 8; i++) {
            text.append((char) (value >>> (8 * i) & 0xFF));
        }
        return text.toString();
    }

    private static String tuple(String numbers) {
        StringBuilder text = new StringBuilder("(");
        for (String one : numbers.isEmpty() ? new String[0] : numbers.split(" ")) {
            text.append(number(Long.parseLong(one)));
        }
        return text + "t";
    }

    /** A state dict {"w": tensor}. */
    private static String dict(String type, String key, long values, long offset, String shape, String strides) {
        String storage =
                "(" + word("storage") + "ctorch\n" + type + "\n" + word(key) + word("cpu") + number(values) + "tQ";
        return "\u0080\2}(" + word("w") + TENSOR + "(" + storage + number(offset) + tuple(shape) + tuple(strides)
                + "\u0089ccollections\nOrderedDict\n)RtRu.";
    }

    private Path zip(String pickle, byte[] storage, int method) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            entry(zip, "archive/data.pkl", bytes(pickle), ZipEntry.STORED);
            entry(zip, "archive/data/0", storage, method);
        }
        return Files.write(directory.resolve("x.pth"), out.toByteArray());
    }

    private static void entry(ZipOutputStream zip, String name, byte[] content, int method) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(method);
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setCrc(crc.getValue());
        entry.setSize(content.length);
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }

    private static byte[] floats(int count) {
        ByteBuffer bytes = ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            bytes.putFloat(i);
        }
        return bytes.array();
    }

    private static String refused(Path file) {
        IOException refused = assertThrows(IOException.class, () -> PthFile.read(file));
        assertTrue(refused.getMessage().contains(file.toString()), refused.getMessage());
        assertEquals(1, refused.getMessage().lines().count(), refused.getMessage());
        return refused.getMessage();
    }

    @Test
    void aFileOfPyTorchGivesTheVeryValuesInEveryTypeAndLayout() throws IOException {
        Safetensors expected = Safetensors.read(Resources.file("expected.safetensors"));
        TreeSet<ElementType> types = new TreeSet<>();
        int compared = 0;
        for (String name : new String[] {"trunk.pth", "head.pth"}) {
            TensorFile file = PthFile.read(Resources.file(name));
            for (String tensor : file.entries().keySet()) {
                types.add(file.entries().get(tensor).type());
                if (file.entries().get(tensor).type().floating()) {
                    assertArrayEquals(
                            expected.tensor(tensor).shape(), file.floats(tensor).shape());
                    assertArrayEquals(
                            Resources.values(expected.tensor(tensor)), Resources.values(file.floats(tensor)), tensor);
                    compared++;
                }
            }
        }
        assertEquals(expected.entries().size(), compared);
        assertTrue(
                types.containsAll(Arrays.asList(ElementType.F32, ElementType.F16, ElementType.BF16, ElementType.I64)));
    }

    @Test
    void stridesAndOffsetsAreFollowed() throws IOException {
        PthFile file = PthFile.read(zip(dict("FloatStorage", "0", 10, 1, "2 3", "1 3"), floats(10), ZipEntry.STORED));
        assertArrayEquals(new float[] {1, 4, 7, 2, 5, 8}, Resources.values(file.floats("w")));
    }

    @Test
    void aPickleThatCallsTheSystemExecutesNothing() throws IOException {
        Path witness = directory.resolve("witness");
        String command = "touch " + witness;
        for (String module : new String[] {"os", "posix", "subprocess", "builtins"}) {
            String name = module.equals("builtins") ? "eval" : module.equals("subprocess") ? "call" : "system";
            String pickle = "\u0080\2c" + module + "\n" + name + "\n" + word(command) + "\u0085R.";
            String message = refused(zip(pickle, floats(1), ZipEntry.STORED));
            assertTrue(message.contains(module + "." + name), message);
            assertTrue(message.contains("nothing was executed"), message);
        }
        assertFalse(Files.exists(witness));
    }

    @ParameterizedTest
    @ValueSource(strings = {"i", "o", "P", "I", "S", "U", "B", "C", "F", "V", "d", "l", "0", "1", "2", "g", "p"})
    void opcodesThatStateDictsDoNotHaveAreRefused(String opcode) throws IOException {
        String message = refused(zip("\u0080\2" + opcode + "os\nsystem\n.", floats(1), ZipEntry.STORED));
        assertTrue(message.contains("opcode"), message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\u0080\2\u0081.", // NEWOBJ
                "\u0080\2\u0082\1.", // EXT1
                "\u0080\2\u0092.", // NEWOBJ_EX
                "\u0080\2}b.", // BUILD without an object
                "\u0080\2ccollections\nOrderedDict\n)R(X\1\0\0\0aK\1u}b.X", // a value that is no tensor
                "\u0080\2].", // no dictionary
                "\u0080\2h\5.", // a memo that was not written
                "\u0080\2t.", // a group that was not opened
                "\u0080\2}(K\1u.", // a key without a value
                "\u0080\2}(]K\1u.", // a list as a key
                "\u0080\2\u008a\u00ff.", // an integer of 255 bytes
                "\u0080\2X\377\377\377\177a.", // a string of 2 GiB
                "\u0080\2", // no end
                "\u0080\11}.", // protocol 9
                "" // nothing
            })
    void broken(String pickle) throws IOException {
        refused(zip(pickle, floats(1), ZipEntry.STORED));
    }

    @ParameterizedTest
    @CsvSource({
        "FloatStorage, 0, 4, 0, 5, 1", // more values than the storage has
        "FloatStorage, 0, 4, 1, 4, 1", // beyond its end
        "FloatStorage, 0, 4, 0, 2, 4", // a stride that leaves it
        "FloatStorage, 0, 1, 0, 1000000000, 0", // much from one value
        "FloatStorage, 0, 4, -1, 2, 1",
        "FloatStorage, 0, 4, 0, -2, 1",
        "FloatStorage, 0, 4, 3, 2, -1",
        "FloatStorage, 0, 4, 0, 4611686018427387904 4, 1 1",
        "FloatStorage, 0, 4, 0, 2, 9223372036854775807",
        "FloatStorage, 0, 4, 0, 2 2, 1", // two sizes, one stride
        "FloatStorage, 0, 5, 0, 5, 1", // more than the zip entry has
        "FloatStorage, 0, 9223372036854775807, 0, 4, 1",
        "FloatStorage, 0, -1, 0, 0, 1",
        "DoubleStorage, 0, 4, 0, 4, 1",
        "FloatStorage, 1, 4, 0, 4, 1", // no such entry
        "FloatStorage, ../../0, 4, 0, 4, 1",
        "QuantizedStorage, 0, 4, 0, 4, 1"
    })
    void tensorsThatDoNotFitTheirStorageAreRefused(
            String type, String key, long values, long offset, String shape, String strides) throws IOException {
        refused(zip(dict(type, key, values, offset, shape, strides), floats(4), ZipEntry.STORED));
    }

    @Test
    void integersAreNoWeights() throws IOException {
        PthFile file = PthFile.read(zip(dict("LongStorage", "0", 2, 0, "2", "1"), floats(4), ZipEntry.STORED));
        IOException refused = assertThrows(IOException.class, () -> file.floats("w"));
        assertTrue(refused.getMessage().contains("I64"), refused.getMessage());
    }

    @Test
    void compressedEntriesAreRefused() throws IOException {
        // A megabyte of zeros in a few bytes: what a zip bomb does.
        Path file = zip(dict("FloatStorage", "0", 4, 0, "4", "1"), new byte[1 << 20], ZipEntry.DEFLATED);
        assertTrue(refused(file).contains("compressed"));
    }

    @Test
    void entriesThatClaimMoreThanTheFileOrOverlapAreRefused() throws IOException {
        byte[] whole = Files.readAllBytes(zip(dict("FloatStorage", "0", 4, 0, "4", "1"), floats(4), ZipEntry.STORED));
        ByteBuffer bytes = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN);
        int directoryAt = bytes.getInt(whole.length - 22 + 16);
        int second = directoryAt + 46 + "archive/data.pkl".length();
        assertEquals(0x02014b50, bytes.getInt(second));
        Path file = directory.resolve("y.pth");

        byte[] huge = whole.clone();
        ByteBuffer.wrap(huge)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(second + 20, 1 << 30)
                .putInt(second + 24, 1 << 30);
        assertTrue(refused(Files.write(file, huge)).contains("beyond the end"));

        byte[] overlapping = whole.clone();
        ByteBuffer.wrap(overlapping).order(ByteOrder.LITTLE_ENDIAN).putInt(second + 42, 0);
        assertTrue(refused(Files.write(file, overlapping)).contains("over the one before it"));

        byte[] many = whole.clone();
        ByteBuffer.wrap(many).order(ByteOrder.LITTLE_ENDIAN).putShort(whole.length - 22 + 10, (short) 0xFFFF);
        assertTrue(refused(Files.write(file, many)).contains("directory"));
    }

    @Test
    void aFileCutOffAnywhereIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(Resources.file("head.pth"));
        Path cut = directory.resolve("cut.pth");
        for (int length = 0; length < whole.length; length += 37) {
            refused(Files.write(cut, Arrays.copyOf(whole, length)));
        }
    }

    @Test
    void aPickleWithWrongBytesIsReadOrRefusedInOneLine() throws IOException {
        byte[] pickle = bytes(dict("FloatStorage", "0", 4, 0, "2 2", "2 1"));
        Random random = new Random(5);
        int refusals = 0;
        for (int i = 0; i < 2000; i++) {
            byte[] wrong = pickle.clone();
            for (int k = random.nextInt(3); k >= 0; k--) {
                wrong[random.nextInt(wrong.length)] = (byte) random.nextInt(256);
            }
            Path file = zip(new String(wrong, StandardCharsets.ISO_8859_1), floats(4), ZipEntry.STORED);
            try {
                PthFile.read(file).entries();
            } catch (IOException e) {
                assertEquals(1, e.getMessage().lines().count(), e.getMessage());
                refusals++;
            }
        }
        assertTrue(refusals > 1000, "only " + refusals + " of 2000 were refused");
    }

    @Test
    void aFileThatIsNoZipIsNamed() throws IOException {
        Path file =
                Files.write(directory.resolve("old.pth"), bytes("\u0080\2\u008a\nl\374\234F\371 j\250P\31.\u0080\2"));
        assertTrue(refused(file).contains("save it again"));
        refused(directory.resolve("absent.pth"));
    }
}
