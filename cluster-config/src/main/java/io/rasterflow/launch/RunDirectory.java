package io.rasterflow.launch;

import io.rasterflow.config.ConfigException;
import io.rasterflow.model.checkpoint.Checkpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** The directory of one run, locked while a run uses it. */
public final class RunDirectory implements AutoCloseable {

    private final Path path;
    private final FileChannel lockFile;

    private RunDirectory(Path path, FileChannel lockFile) {
        this.path = path;
        this.lockFile = lockFile;
    }

    /** {@code runs/NAME-TIME}. */
    public static Path fresh(String name) {
        String time = LocalDateTime.now(ZoneId.systemDefault())
                .format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT));
        return Path.of("runs", name + "-" + time);
    }

    /** The newest run below {@code runs/} that has a checkpoint. */
    public static Optional<Path> newest() {
        Path runs = Path.of("runs");
        if (!Files.isDirectory(runs)) {
            return Optional.empty();
        }
        try (Stream<Path> children = Files.list(runs)) {
            return children.filter(RunDirectory::hasCheckpoint)
                    .max(Comparator.comparing(child -> child.toFile().lastModified()));
        } catch (IOException e) {
            throw new UncheckedIOException("runs/ cannot be read: " + e.getMessage(), e);
        }
    }

    private static boolean hasCheckpoint(Path run) {
        try {
            return Checkpoint.latest(run).isPresent();
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Creates or reopens the directory, locks it and writes {@code config.conf}.
     *
     * @param resume whether a run may already be in it
     */
    public static RunDirectory open(Path path, boolean resume, String config) {
        try {
            if (!resume && Checkpoint.latest(path).isPresent()) {
                throw new ConfigException(
                        path + " already holds a run; continue it with --resume or give another --run");
            }
            if (resume && Checkpoint.latest(path).isEmpty()) {
                throw new ConfigException(path + " holds no checkpoint to resume from; start it without --resume");
            }
            Files.createDirectories(path);
            FileChannel channel =
                    FileChannel.open(path.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (!locked(channel)) {
                channel.close();
                throw new ConfigException(path + " is in use by another process; wait for it or give another --run");
            }
            Files.writeString(path.resolve("config.conf"), config);
            return new RunDirectory(path, channel);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "the run directory " + path + " cannot be written (" + e.getMessage()
                            + "); check the path, its permissions and the free space",
                    e);
        }
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    public Path path() {
        return path;
    }

    @Override
    public void close() {
        try {
            lockFile.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
