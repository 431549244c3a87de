package io.rasterflow.actors.exchange;

/**
 * How one bucket of the gradient is shared out. Rank r owns slice r, [start(r), start(r + 1)); slices start at multiples
 * of 16 floats (64 bytes) and are cut into chunks.
 *
 * @param bucket its index
 * @param floats length of the bucket
 * @param worldSize number of slices
 * @param chunkFloats length of every chunk but a slice's last
 * @param wire how chunks travel over sockets
 */
record Slices(int bucket, int floats, int worldSize, int chunkFloats, ExchangeConfig.Wire wire) {

    /** Floats in 64 bytes. */
    static final int ALIGNMENT = 16;

    /** First float of a rank's slice within the bucket. */
    int start(int rank) {
        int units = floats / ALIGNMENT + (floats % ALIGNMENT == 0 ? 0 : 1);
        long start = (long) rank * units / worldSize * ALIGNMENT;
        return (int) Math.min(start, floats);
    }

    /** Length of a rank's slice; 0 for some when there are more ranks than cache lines. */
    int length(int rank) {
        return start(rank + 1) - start(rank);
    }

    int chunks(int rank) {
        return (int) (((long) length(rank) + chunkFloats - 1) / chunkFloats);
    }

    /** First float of a chunk within the bucket. */
    int chunkStart(int rank, int chunk) {
        return start(rank) + chunk * chunkFloats;
    }

    /** Floats of one chunk of a rank's slice. */
    int chunkLength(int rank, int chunk) {
        return Math.min(chunkFloats, length(rank) - chunk * chunkFloats);
    }

    /** Bytes of so many floats on the wire. */
    static int wireBytes(ExchangeConfig.Wire wire, int floats) {
        return wire == ExchangeConfig.Wire.BF16 ? Bf16.bytes(floats) : floats * Float.BYTES;
    }

    /** Chunks of all slices. */
    int totalChunks() {
        int total = 0;
        for (int rank = 0; rank < worldSize; rank++) {
            total += chunks(rank);
        }
        return total;
    }

    /**
     * The number of the chunk of the slice of {@code owner} that a SHARED_REDUCED frame announces.
     *
     * @throws ExchangeException if there is no such chunk
     */
    int chunkAt(int owner, FrameHeader header) {
        int chunk = header.offset() / chunkFloats;
        if (header.offset() < 0 || header.offset() % chunkFloats != 0 || chunk >= chunks(owner)) {
            throw new ExchangeException(
                    "corrupt frame: no chunk of slice " + owner + " begins at float " + header.offset());
        }
        return chunk;
    }

    /**
     * The number of the chunk that a PARTIAL or REDUCED frame carries for the slice of {@code owner}.
     *
     * @throws ExchangeException if it carries no whole chunk
     */
    int chunkOf(int owner, FrameHeader header) {
        int chunk = header.offset() / chunkFloats;
        if (header.offset() < 0
                || header.offset() % chunkFloats != 0
                || chunk >= chunks(owner)
                || header.length() != wireBytes(wire, chunkLength(owner, chunk))) {
            throw new ExchangeException("corrupt frame: " + header.length() + " bytes at float " + header.offset()
                    + " is no chunk of slice " + owner + " (" + length(owner) + " floats)");
        }
        return chunk;
    }
}
