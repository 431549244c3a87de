package io.rasterflow.monitoring.export;

import io.rasterflow.monitoring.event.Event;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;

/**
 * One file of a live export. It is written from the first event on, beside that of an earlier start until it holds as much as
 * the journals; then it takes its place at once, and grows there. Whoever still writes the earlier one, as a node that hangs
 * may, writes where nobody looks.
 */
final class LiveFile implements AutoCloseable {

    /** Nobody writes any more what has not changed for so long. */
    private static final Duration LEFT_OVER = Duration.ofMinutes(10);

    private final ExportKind kind;
    private final Path run;
    private final Path folder;
    private final Path partial;
    private EventSink sink;
    private String name;
    private boolean shown;

    LiveFile(ExportKind kind, Path run) {
        this.kind = kind;
        this.run = run;
        folder = kind.folder(run);
        partial =
                folder.resolve("." + kind + "-" + ProcessHandle.current().pid() + "-" + System.nanoTime() + ".partial");
    }

    void add(Event event) throws IOException {
        if (sink == null) {
            if (Files.exists(folder) && !Files.isDirectory(folder)) {
                throw new IOException(folder + " is no folder");
            }
            Files.createDirectories(folder);
            name = kind.name(event);
            sink = kind.open(partial, run, event);
        }
        sink.add(event);
    }

    /** Everything there is has been added: readers see it. */
    void show() throws IOException {
        if (sink == null) {
            return;
        }
        sink.flush();
        if (!shown) {
            Path target = folder.resolve(name);
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
            shown = true;
            removeLeftovers();
            removeOthers(target);
        }
    }

    /** Those of processes that were killed before they held as much as the journals. */
    private void removeLeftovers() throws IOException {
        Instant longAgo = Instant.now().minus(LEFT_OVER);
        try (DirectoryStream<Path> partials = Files.newDirectoryStream(folder, "." + kind + "-*.partial")) {
            for (Path file : partials) {
                if (Files.getLastModifiedTime(file).toInstant().isBefore(longAgo)) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /** TensorBoard would draw those of an earlier start as well, whose first hours the journals have since forgotten. */
    private void removeOthers(Path target) throws IOException {
        if (kind != ExportKind.TENSORBOARD) {
            return;
        }
        try (DirectoryStream<Path> earlier = Files.newDirectoryStream(folder, "events.out.tfevents.*.rasterflow")) {
            for (Path file : earlier) {
                if (!file.equals(target)) {
                    Files.delete(file);
                }
            }
        }
    }

    ExportKind kind() {
        return kind;
    }

    @Override
    public void close() throws IOException {
        try {
            if (sink != null) {
                sink.close();
            }
        } finally {
            if (!shown) {
                Files.deleteIfExists(partial);
            }
        }
    }
}
