package io.rasterflow.config;

import io.rasterflow.model.program.Engines;

/**
 * How the node set is formed.
 *
 * @param nodes trainer nodes: processes on this machine; a single one trains within the command's own process
 * @param minNodes trainer nodes without which training waits, once it has begun with all of them
 * @param spawn whether the command starts its trainer nodes; otherwise it waits for as many to join by hand
 * @param restarts how often in ten minutes a trainer process that died is started again
 * @param replicas ranks per trainer process; 0 takes one per GPU or else per core, divided among the processes
 * @param host address that this node listens on, for control and for gradients
 * @param port control port; 0 takes a free one
 */
public record ClusterConfig(int nodes, int minNodes, boolean spawn, int restarts, int replicas, String host, int port) {
    public ClusterConfig {
        if (nodes < 1 || nodes > 64) {
            throw new IllegalArgumentException("cluster.nodes must be between 1 and 64 but is " + nodes);
        }
        if (minNodes < 1 || minNodes > nodes) {
            throw new IllegalArgumentException(
                    "cluster.minNodes must be between 1 and cluster.nodes (" + nodes + ") but is " + minNodes);
        }
        if (restarts < 0) {
            throw new IllegalArgumentException("cluster.restarts must not be negative but is " + restarts);
        }
        if (replicas < 0) {
            throw new IllegalArgumentException("cluster.replicas must not be negative but is " + replicas);
        }
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("cluster.port must be between 0 and 65535 but is " + port);
        }
    }

    /**
     * Ranks per trainer process: one per GPU, or else one per core, because one intra-op thread each keeps sums
     * bit-identical.
     *
     * @param device {@code train.device}
     * @throws IllegalArgumentException if this machine is to train on a GPU that is not there
     */
    public int resolvedReplicas(String device) {
        if (spawn && device.startsWith("cuda")) {
            Engines.device(device);
        }
        if (replicas > 0) {
            return replicas;
        }
        if (device.startsWith("cuda:")) {
            return 1;
        }
        int gpus = device.equals("cpu") ? 0 : Engines.gpus();
        return Math.max(1, (gpus > 0 ? gpus : Runtime.getRuntime().availableProcessors()) / nodes);
    }
}
