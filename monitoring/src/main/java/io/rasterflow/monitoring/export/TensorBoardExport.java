package io.rasterflow.monitoring.export;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journals;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Iterator;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * A run for TensorBoard. Scalars: losses, learning rate, gradient norm and noise scale, throughput, accuracies, and the step
 * time of every rank by part. Images: what was drawn of predictions, as far as it is kept. Histograms: weights, averaged
 * gradients, and the losses of the patches on those images. Nodes are merged, and a run that was resumed is one curve.
 */
public final class TensorBoardExport {

    private static final String PARTIAL = ".rasterflow-%d.partial";

    private TensorBoardExport() {}

    /**
     * Writes one event file; the same journals again replace it.
     *
     * @param folder TensorBoard's {@code --logdir}, or a folder below it
     * @return the file
     * @throws IOException with one line, if there is no journal or the file cannot be written
     */
    public static Path write(Path run, Path folder) throws IOException {
        if (!Journals.exist(run)) {
            throw new IOException("no journal in " + run + ": give the directory of a run that has begun (--run DIR)");
        }
        Files.createDirectories(folder);
        Path partial = folder.resolve(
                String.format(Locale.ROOT, PARTIAL, ProcessHandle.current().pid()));
        try {
            String name = writeEvents(run, partial);
            return Files.move(partial, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(partial);
        }
    }

    /** @return what the file shall be called */
    private static String writeEvents(Path run, Path target) throws IOException {
        try (Stream<Event> events = Journals.readWithoutSamples(run)) {
            Iterator<Event> it = events.iterator();
            if (!it.hasNext()) {
                throw new IOException("the journals of " + run + " hold no event that can be read");
            }
            Event first = it.next();
            try (TensorBoardSink sink = new TensorBoardSink(target, run, first)) {
                sink.add(first);
                while (it.hasNext()) {
                    sink.add(it.next());
                }
            }
            return TensorBoardSink.name(first);
        }
    }
}
