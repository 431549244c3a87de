package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import java.util.Optional;

/**
 * What a trainer knows of itself: its phase, its generation and the history behind its weights. It decides nothing about
 * others. Confined to its trainer.
 */
public final class Member {

    private final DataAddress address;
    private final String node;
    private long sequence;
    private long over;
    private long expected;
    private Phase phase = Phase.WAITING;
    private Optional<Assignment> assignment = Optional.empty();
    private long fingerprint;
    private long step = -1;
    private String digest = "";
    private String weightsSha256 = "";
    private boolean leaving;
    private double microBatchSeconds;

    public Member(DataAddress address, String node) {
        this.address = address;
        this.node = node;
    }

    /**
     * Takes a place in a generation, if it is newer than the last and not known to be over.
     *
     * @return whether it is; an older order that comes late or twice changes nothing, nor does one that builds on a
     *     generation that this was not in last
     */
    public boolean prepare(Placement placement) {
        Roster roster = placement.roster();
        return generationOf(roster)
                .map(generation -> prepare(
                        new Assignment(
                                generation,
                                placement.rank(),
                                placement.firstStep(),
                                placement.digest(),
                                placement.origin(),
                                placement.takers()),
                        roster.fingerprint()))
                .orElse(false);
    }

    /** Who is expected in a generation; empty if it is not newer than its own, or builds on another. */
    public Optional<Generation> generationOf(Roster roster) {
        return isNews(roster.number())
                ? roster.generation(assignment.map(Assignment::generation), fingerprint)
                : Optional.empty();
    }

    /** Is connected to all that are expected in that generation. */
    public void connectedAhead(long generation) {
        expected = generation;
        sequence++;
    }

    /** As above. */
    public boolean prepare(Assignment newAssignment, long newFingerprint) {
        if (!isNews(newAssignment.generation().number())) {
            return false;
        }
        assignment = Optional.of(newAssignment);
        fingerprint = newFingerprint;
        change(Phase.PREPARING);
        return true;
    }

    private boolean isNews(long generation) {
        return generation > Math.max(generationNumber(), over);
    }

    /** Whether its weights are not those that its generation begins with. */
    public boolean needsWeights() {
        Assignment place = place();
        return step != place.firstStep() || !digest.equals(place.digest());
    }

    /**
     * Whether its place follows from something that it said earlier and that is no longer so. It must keep its weights and
     * halt, for nobody else may have them.
     */
    public boolean outdated() {
        Assignment place = place();
        return step > place.firstStep() || needsWeights() && place.origin().kind() == Origin.Kind.KEPT;
    }

    /** Has the weights that its generation begins with. */
    public void restored() {
        step = place().firstStep();
        digest = place().digest();
        sequence++;
    }

    /** The weights are no longer those of any step: they are about to be replaced. */
    public void discard() {
        step = -1;
        digest = "";
        sequence++;
    }

    /** Is connected to all other ranks. */
    public void begin() {
        if (phase != Phase.PREPARING || needsWeights()) {
            throw new IllegalStateException(this + " cannot begin");
        }
        change(Phase.TRAINING);
    }

    /**
     * Has applied the update of a step.
     *
     * @param sumHash as {@link History#hash}, equal on all ranks
     */
    public void applied(long sumHash) {
        if (phase != Phase.TRAINING) {
            throw new IllegalStateException(this + " cannot apply a step");
        }
        step++;
        digest = History.after(digest, sumHash, step);
        sequence++;
    }

    /** Stops in its generation, keeping its weights; nothing if it is not in one that goes on. */
    public boolean halt() {
        if (phase.stopped()) {
            return false;
        }
        change(Phase.HALTED);
        return true;
    }

    /**
     * A generation is over, and all before it: a place in one of them that comes late is not taken any more.
     *
     * @return whether it has stopped for that; false if it had stopped before, or is in a newer one
     */
    public boolean end(long generation) {
        if (over < generation) {
            over = generation;
            sequence++;
        }
        return generationNumber() <= generation && halt();
    }

    /** Has taken the run's last step, and hashed what came out. */
    public void finish(String sha256) {
        weightsSha256 = sha256;
        change(Phase.FINISHED);
    }

    /** Asks to be let go at the next step boundary. */
    public void leave() {
        leaving = true;
        sequence++;
    }

    /** Seconds of the last micro-batch. */
    public void computed(double seconds) {
        microBatchSeconds = microBatchSeconds == 0 ? seconds : 0.9 * microBatchSeconds + 0.1 * seconds;
    }

    private void change(Phase next) {
        phase = next;
        sequence++;
    }

    public Phase phase() {
        return phase;
    }

    /** Its place in its generation. */
    public Assignment place() {
        return assignment.orElseThrow(() -> new IllegalStateException(this + " has no place yet"));
    }

    /** Number of its generation, 0 before the first. */
    public long generationNumber() {
        return assignment.map(place -> place.generation().number()).orElse(0L);
    }

    /** Optimizer steps in its weights, -1 without weights. */
    public long step() {
        return step;
    }

    public String digest() {
        return digest;
    }

    public boolean leaving() {
        return leaving;
    }

    /** Whether something that belongs to a generation still matters. */
    public boolean isIn(long generation) {
        return generationNumber() == generation && !phase.stopped();
    }

    /** Who is in its generation; empty before the first. */
    public Optional<Roster> roster() {
        return assignment.map(place -> Roster.whole(place.generation(), fingerprint));
    }

    /** What to tell the coordinator. */
    public Standing standing() {
        long closed = phase.stopped() ? Math.max(over, generationNumber()) : Math.min(over, generationNumber() - 1);
        return new Standing(
                address,
                node,
                sequence,
                phase,
                generationNumber(),
                fingerprint,
                closed,
                expected > generationNumber() ? expected : 0,
                step,
                digest,
                weightsSha256,
                leaving,
                microBatchSeconds);
    }

    @Override
    public String toString() {
        return node + "/" + address.replica() + " " + phase + " generation " + generationNumber() + " step " + step;
    }
}
