package io.rasterflow.streams.feed;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/**
 * How a receiver is reached.
 *
 * @param host address or name to listen on
 * @param port port, or 0 for any free one
 * @param token what senders must show; empty to let everybody in who reaches the port
 * @param insecure whether other hosts may be let in without a token
 * @param memoryBytes bound of the images that are in memory at once; at least two always fit
 */
public record FeedServerConfig(String host, int port, Optional<FeedToken> token, boolean insecure, long memoryBytes) {

    /** Bound of the images in memory unless it is given. */
    public static final long DEFAULT_MEMORY_BYTES = 256L << 20;

    public FeedServerConfig {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("--port must be 0 to 65535 but is " + port);
        }
        if (memoryBytes < 1) {
            throw new IllegalArgumentException("memoryBytes must be at least 1 but is " + memoryBytes);
        }
        if (token.isEmpty() && !insecure && !isLoopback(host)) {
            throw new IllegalArgumentException("a feed on " + host + " would take images from anybody; give it a token"
                    + " with --token-file, listen on --host 127.0.0.1, or say --insecure");
        }
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("--host " + host + " is not known; give an address of this machine", e);
        }
    }
}
