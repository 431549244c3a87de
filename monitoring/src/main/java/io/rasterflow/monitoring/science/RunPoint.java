package io.rasterflow.monitoring.science;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Event.RunStarted.Experiment;
import io.rasterflow.monitoring.journal.Journals;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/**
 * One run as a point of a scaling law: what its journals say of its size and of its last validated weights. A run that died
 * is a point too, at the step of its last validation.
 *
 * @param name of the run
 * @param directory its run directory
 * @param parameters trainable values
 * @param trainImages different images of the training set
 * @param step of the last validation; the weights have seen that many batches
 * @param steps that the run was to take
 * @param samples images that the weights have seen, repetitions counted
 * @param loss of the last validation
 * @param validationImages that it was measured on
 * @param weights see {@link Event.Validation}
 * @param accuracies top-1 of the same weights, as a fraction, by kind of probe; of several labelled sets their mean
 * @param experiment what it measures
 */
public record RunPoint(
        String name,
        String directory,
        long parameters,
        long trainImages,
        long step,
        long steps,
        double samples,
        double loss,
        int validationImages,
        String weights,
        Map<String, Double> accuracies,
        Experiment experiment) {

    public RunPoint {
        accuracies = Map.copyOf(accuracies);
    }

    /** FLOPs of the training up to the last validation; NaN where an older program journalled none. */
    public double flops() {
        return samples * experiment.flopsPerImage();
    }

    /** Whether the last validation is that of the last step. */
    public boolean complete() {
        return step >= steps;
    }

    /**
     * Reads the journals of a run, which may still be going.
     *
     * @throws IOException with one line, if they cannot be read
     * @throws IllegalArgumentException with one line, if they tell no loss of trained weights
     */
    public static RunPoint read(Path runDirectory) throws IOException {
        try (Stream<Event> events = Journals.readWithoutSamples(runDirectory)) {
            RunPointBook book = new RunPointBook();
            events.forEach(book::add);
            return book.point(runDirectory.toString());
        }
    }
}
