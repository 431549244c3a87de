package io.rasterflow.tests.simulation;

import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.RestorePoint;
import io.rasterflow.monitoring.audit.Audit;
import io.rasterflow.monitoring.audit.AuditResult;
import io.rasterflow.monitoring.event.Event;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Sees everything at once: what must hold after every event, the journals of all nodes, and the checkpoints. */
final class Ledger {

    /** An invariant does not hold. */
    static final class Violation extends AssertionError {
        private static final long serialVersionUID = 1;

        Violation(String what) {
            super(what);
        }
    }

    /** A completed checkpoint. */
    record Checkpoint(String directory, long step, String digest, long weights) {}

    private record Place(long generation, long step, int microBatch) {}

    private record Late(SimulatedTrainer who, long generation) {}

    /** Images of a micro-batch. */
    private static final int IMAGES = 4;

    private final Scheduler scheduler;
    private final long[] undisturbed;
    private final int microBatches;
    private final List<Event> journal = new ArrayList<>();
    private final List<Checkpoint> checkpoints = new ArrayList<>();
    private final Map<Long, Generation> generations = new HashMap<>();
    private final Map<Long, String> histories = new HashMap<>();
    private final Set<Place> leases = new HashSet<>();
    private final Set<Late> late = new HashSet<>();
    private long newest;
    private long number;

    Ledger(Scheduler scheduler, long[] undisturbed, int microBatches) {
        this.scheduler = scheduler;
        this.undisturbed = undisturbed;
        this.microBatches = microBatches;
        checkpoints.add(new Checkpoint("", 0, "seed", undisturbed[0]));
        int globalBatch = microBatches * IMAGES;
        journal.add(new Event.RunStarted(
                0, "node0", "simulated", 0, undisturbed.length - 1, globalBatch, 1, 1, 1, "float32", "", null, null));
    }

    static void require(boolean holds, String otherwise, Object... details) {
        if (!holds) {
            throw new Violation(String.format(otherwise, details));
        }
    }

    // ---- What outlives every process

    /** As the file in the run directory: no number is given twice. */
    long nextNumber(long known) {
        number = Math.max(number, known) + 1;
        return number;
    }

    long highestNumber() {
        return number;
    }

    RestorePoint restorePoint() {
        Checkpoint last = newest();
        return new RestorePoint(last.directory(), last.step(), last.digest());
    }

    private Checkpoint newest() {
        Checkpoint best = checkpoints.get(0);
        for (Checkpoint checkpoint : checkpoints) {
            best = checkpoint.step() >= best.step() ? checkpoint : best;
        }
        return best;
    }

    Checkpoint checkpoint(String directory) {
        return checkpoints.stream()
                .filter(checkpoint -> checkpoint.directory().equals(directory))
                .findFirst()
                .orElseThrow();
    }

    void wrote(long step, String digest, long weights) {
        check(step, weights, "a checkpoint");
        checkpoints.add(new Checkpoint("step-" + step + "-" + checkpoints.size(), step, digest, weights));
    }

    // ---- What happens

    void formed(Assignment first) {
        Generation generation = first.generation();
        Generation other = generations.putIfAbsent(generation.number(), generation);
        require(other == null, "two generations have the number %d", generation.number());
        require(generation.number() > newest, "generation %d after %d", generation.number(), newest);
        newest = generation.number();
        require(
                first.firstStep() < undisturbed.length && first.firstStep() >= 0,
                "generation %d begins at step %d",
                generation.number(),
                first.firstStep());
    }

    /** A trainer takes a place. Who was counted on in a newer generation had promised to take none in an older one. */
    void placed(SimulatedTrainer who) {
        Generation taken = who.member.place().generation();
        generations.values().stream()
                .filter(newer ->
                        newer.number() > taken.number() && newer.members().contains(who.address))
                .forEach(newer -> require(
                        false,
                        "%s takes a place in generation %d after generation %d was formed with it",
                        who,
                        taken.number(),
                        newer.number()));
    }

    int generations() {
        return generations.size();
    }

    void begun(SimulatedTrainer who) {
        Assignment place = who.member.place();
        check(place.firstStep(), who.weights, who.toString());
        Generation generation = place.generation();
        journal.add(new Event.Formed(
                scheduler.now(),
                who.machine.node,
                generation.number(),
                place.rank(),
                generation.worldSize(),
                microBatches,
                generation.firstMicroBatch(place.rank()),
                generation.firstMicroBatch(place.rank() + 1),
                place.firstStep(),
                place.digest()));
    }

    void leased(SimulatedTrainer who, long step, int microBatch) {
        Assignment place = who.member.place();
        long generation = place.generation().number();
        require(
                leases.add(new Place(generation, step, microBatch)),
                "micro-batch %d of step %d is computed twice in generation %d, the second time by %s",
                microBatch,
                step,
                generation,
                who);
        long position = (step * microBatches + microBatch) * IMAGES;
        journal.add(new Event.Lease(
                scheduler.now(), who.machine.node, place.rank(), generation, step, microBatch, position, IMAGES));
    }

    /** A rank has applied a step: {@code who.member} stands after it. */
    void committed(SimulatedTrainer who, long included) {
        Assignment place = who.member.place();
        Generation generation = place.generation();
        long after = who.member.step();
        require(
                included == (1L << microBatches) - 1,
                "%s applied a sum of the micro-batches %s only",
                who,
                Long.toBinaryString(included));
        check(after, who.weights, who.toString());
        String digest = who.member.digest();
        String other = histories.putIfAbsent(after, digest);
        require(other == null || other.equals(digest), "two histories of %d steps: %s and %s", after, other, digest);
        if (generation.number() < newest) {
            // What was already on its way to it when the others gave it up may complete one step, but no second one.
            require(
                    late.add(new Late(who, generation.number())),
                    "%s goes on in generation %d although there is a generation %d",
                    who,
                    generation.number(),
                    newest);
        }
        journal.add(new Event.Commit(
                scheduler.now(),
                who.machine.node,
                place.rank(),
                generation.number(),
                after - 1,
                generation.firstMicroBatch(place.rank()),
                generation.firstMicroBatch(place.rank() + 1),
                digest));
    }

    /** Weights are those of the undisturbed run. */
    void check(long step, long weights, String whose) {
        require(
                step >= 0 && step < undisturbed.length && undisturbed[(int) step] == weights,
                "%s has other weights after step %d than an undisturbed run",
                whose,
                step);
    }

    // ---- At the end

    /** The journals tell the same to those who have nothing else. */
    void audit(long steps) {
        Audit audit = new Audit();
        journal.forEach(audit::add);
        audit.reached(steps);
        AuditResult result = audit.result();
        require(
                steps == 0 || result.passed() && result.endStep() >= steps,
                "the audit of %d steps says of %d: %s; %s",
                steps,
                result.endStep(),
                result.verdict(),
                result.findings());
    }

    List<Event> journal() {
        return journal;
    }

    /** Each step of the history that ends with {@code digest} was computed completely, by one generation. */
    void proveExactlyOnce(long steps, String digest) {
        long step = steps;
        String history = digest;
        long below = Long.MAX_VALUE;
        while (step > 0) {
            Event.Commit last = newestCommit(step - 1, history, below);
            long first = step;
            for (Event event : journal) {
                if (event instanceof Event.Formed formed && formed.generation() == last.generation()) {
                    first = formed.firstStep();
                    history = formed.digest();
                }
            }
            require(first < step, "generation %d commits step %d before its first", last.generation(), step - 1);
            for (long owned = first; owned < step; owned++) {
                for (int microBatch = 0; microBatch < microBatches; microBatch++) {
                    require(
                            leases.contains(new Place(last.generation(), owned, microBatch)),
                            "micro-batch %d of step %d is missing in generation %d",
                            microBatch,
                            owned,
                            last.generation());
                }
            }
            step = first;
            below = last.generation();
        }
        require(history.equals("seed"), "the history begins with %s", history);
    }

    private Event.Commit newestCommit(long step, String digest, long below) {
        Event.Commit best = null;
        for (Event event : journal) {
            if (event instanceof Event.Commit commit
                    && commit.step() == step
                    && commit.digest().equals(digest)
                    && commit.generation() < below
                    && (best == null || commit.generation() > best.generation())) {
                best = commit;
            }
        }
        require(best != null, "nobody committed step %d with the history %s", step, digest);
        return best;
    }
}
