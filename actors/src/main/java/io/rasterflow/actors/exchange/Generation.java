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

    /** Differs, but for one chance in 2^64, between generations whose members differ in anything. */
    public long fingerprint() {
        long hash = microBatches;
        for (DataAddress member : members) {
            hash = mix(mix(hash, member.processId()), member.host());
            hash = mix(mix(hash, member.port()), member.replica());
        }
        return hash;
    }

    private static long mix(long hash, String text) {
        long mixed = mix(hash, text.length());
        for (int i = 0; i < text.length(); i++) {
            mixed = mixed * 31 + text.charAt(i);
        }
        return mixed;
    }

    private static long mix(long hash, int value) {
        long mixed = (hash ^ value) * 0x9E3779B97F4A7C15L;
        return mixed ^ (mixed >>> 32);
    }

    public int worldSize() {
        return members.size();
    }

    /** First micro-batch of a rank; rank r owns [first(r), first(r + 1)). */
    public int firstMicroBatch(int rank) {
        return (int) ((long) rank * microBatches / members.size());
    }
}
