package io.rasterflow.model.program;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a TorchScript archive in memory: a zip whose entries are stored, not deflated.
 *
 * <pre>
 * NAME/data.pkl                      the module and its attributes (pickle, protocol 2)
 * NAME/constants.pkl                 the empty tuple
 * NAME/code/__torch__/LIBRARY.py     source text, one file per library
 * NAME/version                       "10\n": operator versions of PyTorch 2
 * </pre>
 */
public final class ProgramArchive {
    /** Below 10 the loader would rewrite {@code gelu} and others to their older meaning. */
    private static final String VERSION = "10\n";

    private ProgramArchive() {}

    /**
     * @param library the file that holds the module, without its suffix; also the archive's name
     * @param type the class in that file
     * @param sources source text by library, the module's own among them
     * @param attributes values of the module's attributes: Integer, Double, Boolean, String and
     *     lists of Integer, of String or of lists of Integer, {@link EmptyContainer}
     */
    public static byte[] write(
            String library, String type, Map<String, String> sources, Map<String, Object> attributes) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            store(zip, library + "/data.pkl", Pickle.module("__torch__." + library, type, attributes));
            store(zip, library + "/constants.pkl", Pickle.emptyTuple());
            for (Map.Entry<String, String> source : sources.entrySet()) {
                String path = library + "/code/__torch__/" + source.getKey() + ".py";
                store(zip, path, source.getValue().getBytes(StandardCharsets.UTF_8));
            }
            store(zip, library + "/version", VERSION.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory cannot fail", e);
        }
        return bytes.toByteArray();
    }

    /** Source text of a resource that lies beside {@code anchor}'s package. */
    public static String source(Class<?> anchor, String resource) {
        try (InputStream in = anchor.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("program " + resource + " is missing beside " + anchor.getName()
                        + "; rebuild the model module");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void store(ZipOutputStream zip, String path, byte[] content) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(content);
        ZipEntry entry = new ZipEntry(path);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCompressedSize(content.length);
        entry.setCrc(crc.getValue());
        entry.setTime(0);
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }
}
