package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Memory for chunks that have come over sockets and wait to be added. What was given back last is taken first: ranks are
 * seldom far apart, so a few chunks do, and they stay in the processor's cache.
 */
final class Staging {

    private final int chunkFloats;
    private final Deque<ByteBuffer> free = new ArrayDeque<>();

    /** @param chunkFloats of room for each chunk */
    Staging(int chunkFloats) {
        this.chunkFloats = chunkFloats;
    }

    /** What is staged of one rank's slice of a bucket; places are taken and given back under the exchange's lock. */
    final class Slice {
        private final ByteBuffer[][] chunks;

        Slice(int slots, int chunks) {
            this.chunks = new ByteBuffer[slots][chunks];
        }

        /** Where a slot's chunk goes. */
        ByteBuffer place(int slot, int chunk) {
            if (chunks[slot][chunk] == null) {
                chunks[slot][chunk] = free.isEmpty() ? FloatSums.allocate(chunkFloats) : free.pop();
            }
            return chunks[slot][chunk];
        }

        /** Where it has come; null for what can be read elsewhere. */
        ByteBuffer at(int slot, int chunk) {
            return chunks[slot][chunk];
        }

        /** The chunk's addends are needed no more. */
        void release(int chunk) {
            for (ByteBuffer[] ofSlot : chunks) {
                if (ofSlot[chunk] != null) {
                    free.push(ofSlot[chunk]);
                    ofSlot[chunk] = null;
                }
            }
        }
    }
}
