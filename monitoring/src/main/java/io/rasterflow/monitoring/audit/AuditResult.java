package io.rasterflow.monitoring.audit;

import io.rasterflow.monitoring.event.Event;
import java.util.ArrayList;
import java.util.List;

/**
 * What an audit found. Positions are counted over the committed steps [firstStep, endStep).
 *
 * @param firstStep 0, or where the run began from another run's checkpoint
 * @param endStep one more than the last committed step
 * @param positions of these steps
 * @param missing positions that no committed step used, as the journals tell
 * @param duplicated uses beyond the first
 * @param unprovable positions of which the journals that are left cannot tell
 * @param diverged steps after which ranks had different weights
 * @param redone images that were computed for an update that did not stand
 * @param unfinished images that were computed for a step that nobody has committed yet
 * @param quarantined bad samples that others replaced
 * @param quarantinedSamples the first of them
 * @param generations from the oldest to the newest
 * @param findings the first of them
 * @param checkpoint step of the newest checkpoint; -1 when there is none
 * @param outcome how the run ended; empty while it is going, or when it was killed
 * @param notes what else a reader should know, such as damaged journals
 */
public record AuditResult(
        long firstStep,
        long endStep,
        long positions,
        long missing,
        long duplicated,
        long unprovable,
        long diverged,
        long redone,
        long unfinished,
        long quarantined,
        List<Event.BadSample> quarantinedSamples,
        List<Generation> generations,
        List<Finding> findings,
        long checkpoint,
        String outcome,
        List<String> notes) {

    /**
     * A generation and the part of its work that stands.
     *
     * @param firstStep where it began
     * @param endStep one more than the last step that stands; {@code firstStep} when nothing of it does
     * @param nodes by rank; {@code ?} where a rank's journal is missing
     * @param cause why it was formed; empty when nobody has said it
     */
    public record Generation(long number, long firstStep, long endStep, List<String> nodes, String cause) {
        public Generation {
            nodes = List.copyOf(nodes);
        }
    }

    public AuditResult {
        quarantinedSamples = List.copyOf(quarantinedSamples);
        generations = List.copyOf(generations);
        findings = List.copyOf(findings);
        notes = List.copyOf(notes);
    }

    /** Committed steps. */
    public long steps() {
        return endStep - firstStep;
    }

    /** Committed steps that only the nodes' memory holds: no checkpoint has them. */
    public long afterCheckpoint() {
        return endStep - Math.max(firstStep, Math.min(endStep, checkpoint));
    }

    /** Whether every position of every committed step was used exactly once, by ranks that agree. */
    public boolean passed() {
        return positions > 0 && missing == 0 && duplicated == 0 && unprovable == 0 && diverged == 0;
    }

    /** One line. */
    public String verdict() {
        if (positions == 0) {
            return steps() > 0
                    ? "not proved: no journal tells how many images a step has"
                    : "not proved: no step was committed as far as the journals tell";
        }
        if (passed()) {
            return "passed: each of the " + positions + " positions was used exactly once";
        }
        List<String> faults = new ArrayList<>();
        if (missing > 0) {
            faults.add(missing + " positions are missing");
        }
        if (duplicated > 0) {
            faults.add(duplicated + " were used more than once");
        }
        if (diverged > 0) {
            faults.add("ranks diverged at " + diverged + (diverged == 1 ? " step" : " steps"));
        }
        if (unprovable > 0) {
            faults.add(unprovable + " positions cannot be proved any more");
        }
        return (missing + duplicated + diverged > 0 ? "failed: " : "not proved: ") + String.join(", ", faults);
    }
}
