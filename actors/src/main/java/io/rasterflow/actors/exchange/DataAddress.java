package io.rasterflow.actors.exchange;

/**
 * Where a rank's data plane listens.
 *
 * @param processId unique per JVM: ranks with the same id exchange within the process
 * @param host name or address that other hosts can connect to
 * @param port TCP port
 * @param replica distinguishes the ranks of one process
 */
public record DataAddress(String processId, String host, int port, int replica) {}
