package io.rasterflow.streams.storage;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
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
        boolean renamed = false;
        try {
            Files.createDirectories(directory);
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                OutputStream out = new BufferedOutputStream(new Guarded(target, channel), 1 << 16);
                writeBody(body, out);
                out.flush();
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            renamed = true;
            syncDirectory(directory);
        } catch (BodyFailure e) {
            throw e.cause;
        } catch (WriteFailure e) {
            throw e;
        } catch (IOException e) {
            throw new WriteFailure(target, e);
        } finally {
            if (!renamed) {
                Files.deleteIfExists(temporary);
            }
        }
    }

    /** What the body fails at by itself, such as its input, is not a failure to write and keeps its own message. */
    private static void writeBody(Body body, OutputStream out) throws IOException {
        try {
            body.write(out);
        } catch (WriteFailure e) {
            throw e;
        } catch (IOException e) {
            throw new BodyFailure(e);
        }
    }

    private static void syncDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Tells a failure of the disk from a failure of the body. */
    private static final class Guarded extends OutputStream {
        private final Path target;
        private final FileChannel channel;

        private Guarded(Path target, FileChannel channel) {
            this.target = target;
            this.channel = channel;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            ByteBuffer source = ByteBuffer.wrap(bytes, from, length);
            try {
                while (source.hasRemaining()) {
                    channel.write(source);
                }
            } catch (IOException e) {
                throw new WriteFailure(target, e);
            }
        }
    }

    private static final class BodyFailure extends IOException {
        private static final long serialVersionUID = 1L;

        private final IOException cause;

        private BodyFailure(IOException cause) {
            super(cause);
            this.cause = cause;
        }
    }

    /** The target could not be written. */
    private static final class WriteFailure extends IOException {
        private static final long serialVersionUID = 1L;

        private WriteFailure(Path target, IOException cause) {
            super("cannot write " + target + ": " + reason(cause), cause);
        }

        private static String reason(IOException cause) {
            String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
            return message.contains("No space left")
                    ? message + "; free some space or choose another folder"
                    : cause.getClass().getSimpleName() + " " + message;
        }
    }
}
