package io.rasterflow.monitoring.science;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Event.RunStarted.Experiment;
import io.rasterflow.monitoring.journal.Journals;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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
            return of(runDirectory.toString(), events.iterator());
        }
    }

    /** From events in order of time. */
    static RunPoint of(String directory, Iterator<Event> events) {
        Event.RunStarted started = null;
        TreeMap<Long, Event.Validation> validations = new TreeMap<>();
        ProbeBook probes = new ProbeBook();
        while (events.hasNext()) {
            Event event = events.next();
            if (event instanceof Event.RunStarted start) {
                started = start;
                // What the interrupted run did beyond its checkpoint is done again.
                validations.tailMap(start.firstStep(), false).clear();
                probes.truncate(start.firstStep());
            } else if (event instanceof Event.Validation validation) {
                validations.put(validation.step(), validation);
            } else if (event instanceof Event.Probe probe) {
                probes.add(probe);
            }
        }
        if (started == null) {
            throw new IllegalArgumentException("the journals of " + directory + " tell of no start of a run");
        }
        Event.Validation last = Optional.ofNullable(validations.lastEntry())
                .map(Map.Entry::getValue)
                .filter(validation -> validation.step() > 0)
                .orElse(null);
        if (last == null) {
            throw new IllegalArgumentException(
                    "the journals of " + directory
                            + " tell of no validation after step 0; let the run reach a checkpoint (train.checkpointEverySteps)");
        }
        if (!(last.loss() > 0 && Double.isFinite(last.loss()))) {
            throw new IllegalArgumentException("the last validation loss of " + directory + " is " + last.loss()
                    + " at step " + last.step() + "; a scaling law is of losses above 0");
        }
        return new RunPoint(
                started.run(),
                directory,
                started.parameters(),
                started.trainImages(),
                last.step(),
                started.steps(),
                (double) last.step() * started.globalBatch(),
                last.loss(),
                last.images(),
                last.weights(),
                probes.accuracies(last.step()),
                started.experiment());
    }
}
