package io.rasterflow.monitoring.audit;

import java.util.HashMap;
import java.util.Map;

/** What the ranks of a generation committed each step with, as 64 bits of the digest: 8 bytes a step. */
final class StepDigests {

    /** There is none. */
    static final long UNKNOWN = 0;

    private static final int CHUNK_BITS = 10;
    private static final int CHUNK = 1 << CHUNK_BITS;

    private final Map<Long, long[]> chunks = new HashMap<>();

    /** Shortens a digest; {@link #UNKNOWN} for an empty one. */
    static long shorten(String digest) {
        if (digest.isEmpty()) {
            return UNKNOWN;
        }
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < digest.length(); i++) {
            hash = (hash ^ digest.charAt(i)) * 0x100000001b3L;
        }
        hash ^= hash >>> 32;
        return hash == UNKNOWN ? 1 : hash;
    }

    /** @return whether the step had no other one */
    boolean agree(long step, long digest) {
        if (digest == UNKNOWN) {
            return true;
        }
        long[] chunk = chunks.computeIfAbsent(step >> CHUNK_BITS, unseen -> new long[CHUNK]);
        int slot = (int) (step & (CHUNK - 1));
        if (chunk[slot] == UNKNOWN) {
            chunk[slot] = digest;
        }
        return chunk[slot] == digest;
    }

    long at(long step) {
        long[] chunk = chunks.get(step >> CHUNK_BITS);
        return chunk == null ? UNKNOWN : chunk[(int) (step & (CHUNK - 1))];
    }
}
