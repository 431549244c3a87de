package io.rasterflow.model.finetune;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.model.checkpoint.Safetensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a fine-tuning leaves: one directory, complete or absent.
 *
 * <pre>
 * OUT/model.safetensors      fine-tuned weights, adapters merged, under the names that the checkpoint had
 *     adapters.safetensors   the adapters alone (finetune.kind=lora); metadata rank and alpha
 *     head.safetensors       the classifier, named as ml-aim's; metadata lastBlocks
 *     finetune.json          settings and results
 * </pre>
 *
 * <p>Written under a temporary name beside it, forced to the disk, then renamed.
 */
public final class FineTuneFiles {
    private static final String REPORT = "finetune.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    private FineTuneFiles() {}

    /**
     * Finds out before the work begins whether its result could be written.
     *
     * @throws IOException with one line if it could not, or if the directory holds something else
     */
    public static void requireFree(Path out) throws IOException {
        if (Files.exists(out) && !Files.isDirectory(out)) {
            throw new IOException(out + " is a file; give a directory with --out");
        }
        if (Files.isDirectory(out) && !Files.exists(out.resolve(REPORT))) {
            try (Stream<Path> entries = Files.list(out)) {
                if (entries.findAny().isPresent()) {
                    throw new IOException(
                            out + " holds something else than a fine-tuning; give another directory with --out");
                }
            }
        }
        try {
            Path parent =
                    Files.createDirectories(out.toAbsolutePath().normalize().getParent());
            Files.delete(Files.createTempFile(parent, ".finetune", ".tmp"));
        } catch (IOException e) {
            throw failure(out, e);
        }
    }

    /**
     * Writes the result, replacing an earlier one.
     *
     * @param report becomes finetune.json
     */
    public static void write(Path out, FineTuner tuner, FineTuneConfig config, Map<String, Object> report)
            throws IOException {
        Path target = out.toAbsolutePath().normalize();
        String unique =
                "." + target.getFileName() + "-" + ProcessHandle.current().pid();
        Path temporary = target.resolveSibling(unique + ".tmp");
        Path replaced = target.resolveSibling(unique + ".old");
        try {
            Files.createDirectories(target.getParent());
            delete(temporary);
            Files.createDirectory(temporary);
            Safetensors.write(temporary.resolve("model.safetensors"), tuner.model(), Map.of("format", "pt"));
            if (config.kind() == FineTuneConfig.Kind.LORA) {
                Map<String, String> metadata = Map.of(
                        "format", "pt",
                        "rank", Integer.toString(config.rank()),
                        "alpha", Double.toString(config.alpha()));
                Safetensors.write(temporary.resolve("adapters.safetensors"), tuner.adapters(), metadata);
            }
            Map<String, String> metadata = Map.of("format", "pt", "lastBlocks", Integer.toString(config.lastBlocks()));
            Safetensors.write(temporary.resolve("head.safetensors"), tuner.head(), metadata);
            writeReport(temporary.resolve(REPORT), report);
            force(temporary);
            if (Files.isDirectory(target)) {
                Files.move(target, replaced, StandardCopyOption.ATOMIC_MOVE);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            force(target.getParent());
            delete(replaced);
        } catch (IOException e) {
            throw failure(out, e);
        } finally {
            delete(temporary);
        }
    }

    private static IOException failure(Path out, IOException e) {
        String reason = e.getMessage() == null ? e.toString() : e.getClass().getSimpleName() + " " + e.getMessage();
        return new IOException(
                "the fine-tuning cannot be written to " + out + ": " + reason
                        + "; check the path, its permissions and the free space",
                e);
    }

    private static void writeReport(Path file, Map<String, Object> report) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer bytes =
                    ByteBuffer.wrap(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(report));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }

    private static void force(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        List<Path> files;
        try (Stream<Path> entries = Files.list(directory)) {
            files = entries.toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
        Files.delete(directory);
    }
}
