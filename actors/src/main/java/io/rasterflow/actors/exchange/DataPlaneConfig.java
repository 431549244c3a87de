package io.rasterflow.actors.exchange;

/**
 * Where a {@link DataPlane} listens; how it exchanges is {@link ExchangeConfig}'s.
 *
 * @param host name or address to listen on, which peers also connect to
 * @param port TCP port; 0 takes any free one
 * @param secret shared by all nodes of a run; proved to peers, never sent
 */
public record DataPlaneConfig(String host, int port, String secret) {

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
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return "DataPlaneConfig[" + host + ":" + port + "]";
    }
}
