package io.rasterflow.actors.exchange;

import java.time.Duration;

/**
 * Settings of a {@link DataPlane}.
 *
 * @param host name or address to listen on, which peers also connect to
 * @param port TCP port; 0 takes any free one
 * @param secret shared by all nodes of a run; proved to peers, never sent
 * @param maxFrameBytes longest frame that is accepted, header included
 * @param chunkBytes gradient bytes per frame; the same on all nodes
 * @param eventLoopThreads threads that serve all connections of this process
 * @param connectTimeout from {@link DataPlane#join} until all peers must have joined, too
 */
public record DataPlaneConfig(
        String host,
        int port,
        String secret,
        int maxFrameBytes,
        int chunkBytes,
        int eventLoopThreads,
        Duration connectTimeout) {

    private static final int MIN_CHUNK_BYTES = 64;

    public DataPlaneConfig {
        if (host == null || host.isBlank() || host.equals("0.0.0.0") || host.equals("::")) {
            throw new IllegalArgumentException("exchange.host \"" + host
                    + "\": peers connect to this name, so it must be an address of this host, such as 127.0.0.1");
        }
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("exchange.port " + port + ": must be 0 (any free port) to 65535");
        }
        if (secret == null || secret.isBlank()) {
            throw new IllegalArgumentException("exchange.secret is empty: all nodes of a run need the same secret");
        }
        if (chunkBytes < MIN_CHUNK_BYTES || chunkBytes % MIN_CHUNK_BYTES != 0) {
            throw new IllegalArgumentException(
                    "exchange.chunkBytes " + chunkBytes + ": must be a positive multiple of " + MIN_CHUNK_BYTES);
        }
        if (maxFrameBytes < chunkBytes + FrameHeader.BYTES) {
            throw new IllegalArgumentException("exchange.maxFrameBytes " + maxFrameBytes
                    + ": a chunk with its header has " + (chunkBytes + FrameHeader.BYTES) + " bytes");
        }
        if (eventLoopThreads < 1) {
            throw new IllegalArgumentException(
                    "exchange.eventLoopThreads " + eventLoopThreads + ": must be at least 1");
        }
        if (connectTimeout == null || connectTimeout.isNegative() || connectTimeout.isZero()) {
            throw new IllegalArgumentException("exchange.connectTimeout " + connectTimeout + ": must be positive");
        }
    }

    /** Defaults: frames of 256 KiB, one event loop for four cores, 30 s to join. */
    public static DataPlaneConfig of(String host, int port, String secret) {
        int threads = Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors() / 4));
        return new DataPlaneConfig(host, port, secret, 1 << 20, 1 << 18, threads, Duration.ofSeconds(30));
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return "DataPlaneConfig[" + host + ":" + port + ", maxFrameBytes=" + maxFrameBytes + ", chunkBytes="
                + chunkBytes + ", eventLoopThreads=" + eventLoopThreads + ", connectTimeout=" + connectTimeout + "]";
    }
}
