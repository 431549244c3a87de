package io.rasterflow.monitoring.audit;

import io.rasterflow.monitoring.event.Event;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One generation as its ranks' journals tell it. Programs that did not journal {@link Event.Formed} counted from 1 at
 * every start, so a number may stand for several, told apart by {@code attempt}.
 */
final class GenerationRecord {

    /** A rank of a generation. */
    static final class Rank {
        private final String node;
        /** The rank's run of micro-batches; both 0 while nobody has said it. */
        private int firstMicroBatch;

        private int endMicroBatch;
        /** Last step of which the rank journalled anything. */
        private long lastStep = -1;

        private Rank(String node) {
            this.node = node;
        }

        String node() {
            return node;
        }

        long lastStep() {
            return lastStep;
        }
    }

    private final long number;
    private final int attempt;
    private final SortedMap<Integer, Rank> ranks = new TreeMap<>();
    private final StepRuns steps = new StepRuns();
    private final StepDigests digests = new StepDigests();
    private int worldSize;
    private int microBatches;
    private long firstStep = -1;
    private long digest = StepDigests.UNKNOWN;
    private String cause = "";
    private boolean formed;
    private boolean committed;
    private boolean announced;
    private boolean started;
    private boolean disagreed;

    GenerationRecord(long number, int attempt) {
        this.number = number;
        this.attempt = attempt;
    }

    /** The coordinator said that it exists. */
    void announce(int ranksOfIt, String why) {
        announced = true;
        worldSize = Math.max(worldSize, ranksOfIt);
        cause = why;
    }

    /** A run began with it, in a journal without {@link Event.Formed}. */
    void start(long first) {
        started = true;
        firstStep = first;
    }

    void form(Event.Formed event) {
        long stands = StepDigests.shorten(event.digest());
        disagreed |= formed
                && (event.firstStep() != firstStep
                        || (stands != digest && stands != StepDigests.UNKNOWN && digest != StepDigests.UNKNOWN));
        firstStep = formed ? Math.min(firstStep, event.firstStep()) : event.firstStep();
        formed = true;
        digest = stands == StepDigests.UNKNOWN ? digest : stands;
        worldSize = Math.max(worldSize, event.worldSize());
        microBatches = Math.max(microBatches, event.microBatches());
        owns(event.rank(), event.node(), event.firstMicroBatch(), event.endMicroBatch());
    }

    void commit(int rank, String node, int first, int end) {
        committed = true;
        owns(rank, node, first, end);
    }

    private void owns(int rank, String node, int first, int end) {
        Rank known = rank(rank, node);
        known.firstMicroBatch = first;
        known.endMicroBatch = end;
        microBatches = Math.max(microBatches, end);
    }

    void seen(int rank, String node, long step) {
        Rank known = rank(rank, node);
        known.lastStep = Math.max(known.lastStep, step);
    }

    void worldSize(int ranksOfIt) {
        worldSize = Math.max(worldSize, ranksOfIt);
    }

    private Rank rank(int rank, String node) {
        worldSize = Math.max(worldSize, rank + 1);
        return ranks.computeIfAbsent(rank, unseen -> new Rank(node));
    }

    long number() {
        return number;
    }

    int attempt() {
        return attempt;
    }

    /** Ranks that have journalled anything. */
    SortedMap<Integer, Rank> ranks() {
        return ranks;
    }

    int worldSize() {
        return worldSize;
    }

    /** Micro-batches of a step as far as is known. */
    int microBatches() {
        return microBatches;
    }

    /** Whether {@link #microBatches} is all of them: the last rank's run ends there. */
    boolean microBatchesKnown() {
        return formed || (ranks.containsKey(worldSize - 1) && ranks.get(worldSize - 1).endMicroBatch > 0);
    }

    /** Whose micro-batch it is; -1 when nobody has said it. */
    int owner(int microBatch) {
        return ranks.entrySet().stream()
                .filter(entry ->
                        entry.getValue().firstMicroBatch <= microBatch && microBatch < entry.getValue().endMicroBatch)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(-1);
    }

    StepRuns steps() {
        return steps;
    }

    StepDigests digests() {
        return digests;
    }

    /** Its first step; {@link Long#MAX_VALUE} when nothing tells. */
    long firstStep() {
        return firstStep >= 0 ? firstStep : steps.first();
    }

    /** Digest of the history that it stands on. */
    long digest() {
        return digest;
    }

    /** Why it was formed; empty when nobody has said it. */
    String cause() {
        return cause;
    }

    boolean formed() {
        return formed;
    }

    boolean announced() {
        return announced;
    }

    boolean started() {
        return started;
    }

    /** Whether its ranks began at different steps or with different histories. */
    boolean disagreed() {
        return disagreed;
    }

    /** Whether any rank has committed a step of it. */
    boolean committed() {
        return committed;
    }

    boolean hasRecords() {
        return !ranks.isEmpty();
    }
}
