package io.rasterflow.streams.storage;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Writes a file to a temporary name, syncs it and renames it. Several processes may write the same target at once: each
 * has its own temporary file and the last rename wins, so there is no lock that a killed process could leave behind.
 */
public final class AtomicFile {

    /** Suffix of temporary files; one that is older than a day belongs to nobody. */
    public static final String TEMPORARY_SUFFIX = ".tmp";

    private AtomicFile() {}

    /** Writes the content of a file. */
    @FunctionalInterface
    public interface Body {
        void write(OutputStream out) throws IOException;
    }

    /**
     * Creates or replaces {@code target}.
     *
     * @throws IOException one line that names the target; nothing is left behind
     */
    public static void write(Path target, Body body) throws IOException {
        Path directory = target.toAbsolutePath().getParent();
        String unique = ProcessHandle.current().pid() + "-"
                + Long.toHexString(ThreadLocalRandom.current().nextLong());
        Path temporary = directory.resolve("." + target.getFileName() + "." + unique + TEMPORARY_SUFFIX);
        try {
            Files.createDirectories(directory);
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
                body.write(out);
                out.flush();
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            syncDirectory(directory);
        } catch (IOException e) {
            Files.deleteIfExists(temporary);
            throw e instanceof FileFailure ? e : new FileFailure(target, e);
        } catch (RuntimeException e) {
            Files.deleteIfExists(temporary);
            throw e;
        }
    }

    private static void syncDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** The target could not be written. */
    private static final class FileFailure extends IOException {
        private FileFailure(Path target, IOException cause) {
            super("cannot write " + target + ": " + reason(cause), cause);
        }

        private static String reason(IOException cause) {
            String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
            return message.contains("No space left") ? message + "; free some space or choose another folder" : message;
        }
    }
}
