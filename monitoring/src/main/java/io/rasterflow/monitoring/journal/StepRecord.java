package io.rasterflow.monitoring.journal;

import io.rasterflow.monitoring.event.Event;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What the journals say of one step: of the last time that it was done, where it was redone.
 *
 * @param loss mean over the global batch
 * @param gradientNorm before clipping
 * @param digest of the history after it, as in {@link Event.Commit}; empty if none is journalled
 */
public record StepRecord(long step, long generation, int worldSize, double loss, double gradientNorm, String digest) {

    /** Empty if no rank has journalled the step. */
    public static Optional<StepRecord> read(Path runDir, long step) throws IOException {
        Optional<Event.Step> found = Optional.empty();
        String digest = "";
        long digested = -1;
        try (Stream<Event> events = Journals.read(runDir)) {
            for (Iterator<Event> it = events.iterator(); it.hasNext(); ) {
                Event event = it.next();
                if (event instanceof Event.Step done
                        && done.step() == step
                        && found.map(Event.Step::generation).orElse(-1L) <= done.generation()) {
                    found = Optional.of(done);
                } else if (event instanceof Event.Commit commit
                        && commit.step() == step
                        && digested <= commit.generation()) {
                    digest = commit.digest();
                    digested = commit.generation();
                }
            }
        }
        String last = digest;
        return found.map(done ->
                new StepRecord(step, done.generation(), done.worldSize(), done.loss(), done.gradientNorm(), last));
    }
}
