package io.rasterflow.actors.coordinator;

import io.rasterflow.actors.WireMessage;

/** What a node that has been admitted is told to do, because a user asked it. */
public sealed interface NodeOrder extends Coordinator.Admission {

    /** Go, as on SIGTERM. */
    record Drain(String who) implements NodeOrder, WireMessage {}

    /**
     * Log so much of Rasterflow from now on.
     *
     * @param level as in {@link io.rasterflow.monitoring.action.ActionRequest#LEVELS}
     */
    record Log(String level, String who) implements NodeOrder, WireMessage {}
}
