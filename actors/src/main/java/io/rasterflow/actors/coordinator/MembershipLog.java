package io.rasterflow.actors.coordinator;

import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.membership.Membership;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Telemetry;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells log and journal who came and went, which generations were formed and what is waited for. */
final class MembershipLog {

    private static final Logger LOG = LoggerFactory.getLogger(Coordinator.class);
    private static final long WAITING_MILLIS = 10_000;

    private final String node;
    private final Membership membership;
    private final Telemetry telemetry;
    private String waiting = "";
    private long saidWaiting;

    /** @param node that hosts the coordinator */
    MembershipLog(String node, Membership membership, Telemetry telemetry) {
        this.node = node;
        this.membership = membership;
        this.telemetry = telemetry;
    }

    void formed(Order.Formed formed) {
        waiting = "";
        long step = formed.first().firstStep();
        String because = formed.cause().isEmpty() ? "" : "; " + formed.cause();
        LOG.info(
                "generation {} begins at step {}: ranks {}{}",
                formed.first().generation().number(),
                step,
                formed.ranks(),
                because);
        record("", "generation", "step " + step + ", ranks " + formed.ranks() + because);
    }

    void dropped(Order.Dropped dropped) {
        LOG.info("trainer {} on {} is out: {}", dropped.who().replica(), dropped.node(), dropped.cause());
        record(dropped.node(), "down", dropped.cause());
    }

    void waits(String reason, long now) {
        waiting = reason;
        saidWaiting = now;
        LOG.info(reason);
        if (membership.begun()) {
            record("", "waiting", reason);
        }
    }

    /** Several times a second: what is still waited for is said again now and then. */
    void tick(long now) {
        if (!waiting.isEmpty() && now - saidWaiting > WAITING_MILLIS) {
            saidWaiting = now;
            LOG.info(waiting);
        }
    }

    /** @param member name of a node, empty where it is about all */
    void record(String member, String change, String detail) {
        Optional<Generation> generation = membership.generation();
        telemetry.record(new Event.Membership(
                System.currentTimeMillis(),
                node,
                member,
                change,
                generation.map(Generation::number).orElse(0L),
                generation.map(Generation::worldSize).orElse(0),
                detail));
    }
}
