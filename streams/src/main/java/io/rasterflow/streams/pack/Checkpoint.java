package io.rasterflow.streams.pack;

/**
 * How far a packing has come. Everything that was written before it is in the files; what was written after it counts for
 * nothing and is made again.
 *
 * @param pass 0 over all items; 1, 2, … over those that failed in the pass before
 * @param next attempt of the pass that comes next
 * @param samples in all shards and in the growing one
 * @param failed items of the pass that could not be packed
 * @param duplicates items that were left out because an earlier one has the same bytes
 * @param maxLabel largest label so far; -1 if there was none
 * @param partSamples in the shard that grows
 * @param partBytes length of its file
 * @param failureBytes length of the file of failures
 * @param done whether the pass has ended
 */
record Checkpoint(
        int pass,
        long next,
        long samples,
        long failed,
        long duplicates,
        int maxLabel,
        int partSamples,
        long partBytes,
        long failureBytes,
        boolean done) {

    static final Checkpoint START = new Checkpoint(0, 0, 0, 0, 0, -1, 0, 0, 0, false);

    /** The start of another pass over what failed. */
    Checkpoint nextPass() {
        return new Checkpoint(pass + 1, 0, samples, 0, duplicates, maxLabel, 0, 0, 0, false);
    }
}
