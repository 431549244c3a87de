package io.rasterflow.actors.node;

import io.rasterflow.actors.exchange.DataPlaneConfig;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.monitoring.monitor.Reporting;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What one JVM of the cluster is.
 *
 * @param name unique in the cluster; names its journal
 * @param roles any of {@link Node#COORDINATOR}, {@link Node#MONITOR}, {@link Node#TRAINER}, {@link Node#PROBE}
 * @param plan the run, on the node that begins it; others learn it from the coordinator
 * @param dataPlane where gradients are exchanged
 * @param reporting what this node reports
 * @param notices is told what people at this node have to know, line by line, on any thread
 */
public record NodeSettings(
        String name,
        Set<String> roles,
        Optional<RunPlan> plan,
        DataPlaneConfig dataPlane,
        Reporting reporting,
        Consumer<String> notices) {

    public NodeSettings {
        roles = Set.copyOf(roles);
        if (roles.isEmpty() || !Node.ROLES.containsAll(roles)) {
            throw new IllegalArgumentException("roles must be some of " + Node.ROLES + " but are " + roles);
        }
    }
}
