package io.rasterflow.monitoring.audit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Which generation's work stands, step by step. A generation that begins at step f keeps what was committed before f and
 * does the rest again; so, walking back from the newest, each owns the steps from its first to the first of its
 * successor. Where the successor's digest names the history that it stands on, that decides who its predecessor is: a
 * generation may have been redone in vain before a run was resumed from an older one's checkpoint.
 */
final class Lineage {

    /**
     * The steps [from, to) of a generation.
     *
     * @param broken whether its successor stands on another history than it committed
     */
    record Owned(GenerationRecord generation, long from, long to, boolean broken) {}

    private Lineage() {}

    /**
     * @param generations from the oldest to the newest
     * @return from the oldest to the newest; the last has no end
     */
    static List<Owned> of(List<GenerationRecord> generations) {
        List<Owned> owned = new ArrayList<>();
        long to = Long.MAX_VALUE;
        int newer = generations.size();
        long digest = StepDigests.UNKNOWN;
        while (newer > 0 && to > 0) {
            int index = predecessor(generations, newer, to, digest);
            if (index < 0) {
                break;
            }
            GenerationRecord generation = generations.get(index);
            long committed = generation.digests().at(to - 1);
            boolean broken = digest != StepDigests.UNKNOWN && committed != StepDigests.UNKNOWN && committed != digest;
            owned.add(new Owned(generation, generation.firstStep(), to, broken));
            to = generation.firstStep();
            digest = generation.digest();
            newer = index;
        }
        Collections.reverse(owned);
        return owned;
    }

    private static int predecessor(List<GenerationRecord> generations, int newer, long to, long digest) {
        int newest = -1;
        for (int i = newer - 1; i >= 0; i--) {
            GenerationRecord candidate = generations.get(i);
            if (candidate.firstStep() < to) {
                if (digest == StepDigests.UNKNOWN || candidate.digests().at(to - 1) == digest) {
                    return i;
                }
                newest = newest < 0 ? i : newest;
            }
        }
        return newest;
    }
}
