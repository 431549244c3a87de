package io.rasterflow.monitoring.science;

import io.rasterflow.monitoring.event.Event;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Keeps of a run's events, in order of time, what makes it a point of a scaling law. */
public final class RunPointBook {

    private final TreeMap<Long, Event.Validation> validations = new TreeMap<>();
    private final ProbeBook probes = new ProbeBook();
    private Event.RunStarted started;

    public void add(Event event) {
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

    /**
     * The run as it stands.
     *
     * @param directory of the run, or what it is called
     * @throws IllegalArgumentException with one line, if there is no loss of trained weights
     */
    public RunPoint point(String directory) {
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
