package io.rasterflow.actors.exchange;

/**
 * How the ranks of a run exchange gradients; the same on all nodes.
 *
 * @param transport between processes of one host
 * @param wire how gradients travel over sockets
 * @param ringFrom world size from which a ring takes the place of the direct form
 * @param chunkBytes gradient bytes (as float32) per frame
 * @param maxFrameBytes longest frame that is accepted, header included
 * @param pingMillis a connection that sends nothing for so long sends a ping
 * @param silenceMillis a connection that brings nothing for so long is lost
 * @param connectMillis from {@link DataPlane#join} until all peers must have joined, too
 */
public record ExchangeConfig(
        Transport transport,
        Wire wire,
        int ringFrom,
        int chunkBytes,
        int maxFrameBytes,
        int pingMillis,
        int silenceMillis,
        int connectMillis) {

    /** Between processes of one host. */
    public enum Transport {
        /** The fastest that a pair of ranks can use. */
        AUTO,
        /** Sockets, always. */
        TCP,
        /** Shared memory; a pair that cannot is refused. */
        SHM
    }

    /** Element type of gradients on a wire. */
    public enum Wire {
        FP32,
        /** Rounded to nearest even; half the bytes. */
        BF16
    }

    /** Frames of 256 KiB; a silent peer is lost after 2.5 s. */
    public static final ExchangeConfig DEFAULT =
            new ExchangeConfig(Transport.AUTO, Wire.FP32, 64, 1 << 18, 1 << 20, 500, 2_500, 30_000);

    private static final int MIN_CHUNK_BYTES = 64;

    public ExchangeConfig {
        if (ringFrom < 2) {
            throw new IllegalArgumentException("exchange.ringFrom " + ringFrom + ": must be at least 2");
        }
        if (chunkBytes < MIN_CHUNK_BYTES || chunkBytes % MIN_CHUNK_BYTES != 0) {
            throw new IllegalArgumentException(
                    "exchange.chunkBytes " + chunkBytes + ": must be a positive multiple of " + MIN_CHUNK_BYTES);
        }
        if (maxFrameBytes < chunkBytes + FrameHeader.BYTES) {
            throw new IllegalArgumentException("exchange.maxFrameBytes " + maxFrameBytes
                    + ": a chunk with its header has " + (chunkBytes + FrameHeader.BYTES) + " bytes");
        }
        if (pingMillis < 1 || silenceMillis < 2L * pingMillis) {
            throw new IllegalArgumentException("exchange.silenceMillis " + silenceMillis
                    + ": must be at least twice exchange.pingMillis (" + pingMillis + "), which must be positive");
        }
        if (connectMillis < 1) {
            throw new IllegalArgumentException("exchange.connectMillis " + connectMillis + ": must be positive");
        }
    }

    /** The same over another transport. */
    public ExchangeConfig with(Transport other) {
        return new ExchangeConfig(
                other, wire, ringFrom, chunkBytes, maxFrameBytes, pingMillis, silenceMillis, connectMillis);
    }

    /** The same with another element type on the wire. */
    public ExchangeConfig with(Wire other) {
        return new ExchangeConfig(
                transport, other, ringFrom, chunkBytes, maxFrameBytes, pingMillis, silenceMillis, connectMillis);
    }
}
