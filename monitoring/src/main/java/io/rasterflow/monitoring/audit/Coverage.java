package io.rasterflow.monitoring.audit;

import java.util.ArrayList;
import java.util.List;

/**
 * How the leases of a step cover its positions.
 *
 * @param gaps rows of {from, to}: offsets that no lease holds
 * @param duplicated uses beyond the first of a position, and uses of positions that are another step's
 */
record Coverage(List<int[]> gaps, long duplicated) {

    static Coverage of(StepUses uses, int globalBatch) {
        List<int[]> gaps = new ArrayList<>();
        long duplicated = 0;
        long end = 0;
        for (long[] span : uses.spans()) {
            long from = Math.min(globalBatch, Math.max(0, span[0]));
            long to = Math.min(globalBatch, Math.max(0, span[0] + span[1]));
            duplicated += span[1] - (to - from) + Math.max(0, Math.min(end, to) - from);
            if (from > end) {
                gaps.add(new int[] {(int) end, (int) from});
            }
            end = Math.max(end, to);
        }
        if (end < globalBatch) {
            gaps.add(new int[] {(int) end, globalBatch});
        }
        return new Coverage(gaps, duplicated);
    }
}
