package io.rasterflow.actors.exchange;

import java.util.List;

/**
 * A fixed set of ranks: member i of the list is rank i.
 *
 * @param number rises with every change of membership
 * @param members data-plane addresses in rank order
 * @param microBatches micro-batches M of a global batch; ranks own contiguous runs of them
 */
public record Generation(long number, List<DataAddress> members, int microBatches) {

    public Generation {
        members = List.copyOf(members);
        if (members.isEmpty() || microBatches < members.size()) {
            throw new IllegalArgumentException("train.microBatches (" + microBatches
                    + ") must be at least the world size (" + members.size() + ")");
        }
    }

    public int worldSize() {
        return members.size();
    }

    /** First micro-batch of a rank; rank r owns [first(r), first(r + 1)). */
    public int firstMicroBatch(int rank) {
        return (int) ((long) rank * microBatches / members.size());
    }
}
