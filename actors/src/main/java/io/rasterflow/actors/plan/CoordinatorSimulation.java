package io.rasterflow.actors.plan;

import io.rasterflow.actors.plan.StepSimulation.Form;
import io.rasterflow.streams.order.CounterRandom;
import java.util.HashMap;
import java.util.Map;

/**
 * The coordinator while one host is lost: a server that takes one message after another.
 *
 * <pre>
 *   trainer   Announce every second (all the time)
 *   survivor  Lost ──►  coordinator asks the lost host itself (one connection); when all have reported
 *             ◄── Begin, one for each
 *   survivor  connects to its peers: all of them, or two in a ring
 *             Ready ──►  when the last has come the step is redone
 * </pre>
 */
final class CoordinatorSimulation {

    private static final double LOSS_AT_SECONDS = 2;
    private static final double WINDOW_SECONDS = 0.1;

    private final Cluster cluster;
    private final Reliability.Repair repair;
    private final int survivors;
    private final int connections;
    private final long seed;
    private final EventQueue queue = new EventQueue();
    private final Lane coordinator = new Lane();
    private final Map<Long, Integer> windows = new HashMap<>();
    private int reports;
    private int ready;
    private long messages;
    private boolean confirmed;
    private double formedAt;

    private CoordinatorSimulation(Cluster cluster, Reliability reliability, Form form, long seed) {
        this.cluster = cluster;
        this.repair = reliability.repair();
        this.seed = seed;
        // Where there is one host only, one of its ranks is lost.
        this.survivors = cluster.ranks() - (cluster.hosts() == 1 ? 1 : cluster.local());
        this.connections = form == Form.RING ? Math.min(2, survivors - 1) : survivors - 1;
    }

    /** Checkpoints and their evaluations, two messages each, are counted in. */
    static CoordinatorLoad run(Cluster cluster, Reliability reliability, Form form, long seed) {
        CoordinatorSimulation simulation = new CoordinatorSimulation(cluster, reliability, form, seed);
        if (simulation.survivors > 0) {
            simulation.run();
        }
        double steady = cluster.ranks() / reliability.repair().announceSeconds()
                + 2 / reliability.restart().checkpointSeconds();
        int peak = simulation.windows.values().stream()
                .mapToInt(Integer::intValue)
                .max()
                .orElse(0);
        return new CoordinatorLoad(
                steady,
                steady / reliability.repair().messagesPerSecond(),
                Math.max(0, simulation.formedAt - LOSS_AT_SECONDS),
                simulation.messages,
                peak / WINDOW_SECONDS);
    }

    private void run() {
        for (int rank = 0; rank < cluster.ranks(); rank++) {
            CounterRandom random = CounterRandom.of(seed, 0, rank);
            int of = rank;
            queue.at(random.uniform(0) * repair.announceSeconds(), () -> announce(of));
            if (rank < survivors) {
                double noticed = LOSS_AT_SECONDS + random.uniform(1) * repair.noticeSeconds();
                queue.at(noticed + latency(), () -> handle(this::onLost));
            }
        }
        queue.run();
    }

    private double latency() {
        return cluster.link().latencySeconds();
    }

    private void announce(int rank) {
        boolean lost = rank >= survivors && queue.now() >= LOSS_AT_SECONDS;
        if (!lost) {
            queue.at(queue.now() + repair.announceSeconds(), () -> announce(rank));
            handle(() -> {});
        }
    }

    /** One message, received or sent, when those before it are done. */
    private void handle(Runnable then) {
        double seconds = 1 / repair.messagesPerSecond();
        double end = coordinator.reserve(queue.now(), seconds) + seconds;
        queue.at(end, () -> {
            windows.merge((long) (queue.now() / WINDOW_SECONDS), 1, Integer::sum);
            if (queue.now() >= LOSS_AT_SECONDS) {
                messages++;
            }
            then.run();
        });
    }

    private void onLost() {
        if (++reports == 1) {
            queue.at(queue.now() + 2 * latency() + repair.connectSeconds(), () -> {
                confirmed = true;
                formWhenKnown();
            });
        }
        formWhenKnown();
    }

    private void formWhenKnown() {
        if (confirmed && reports == survivors) {
            // Once: neither condition becomes true again.
            confirmed = false;
            for (int rank = 0; rank < survivors; rank++) {
                handle(this::onBegun);
            }
        }
    }

    /** A Begin has gone out. */
    private void onBegun() {
        double connected = queue.now() + latency() + 2 * latency() + connections * repair.connectSeconds();
        queue.at(connected + latency(), () -> handle(this::onReady));
    }

    private void onReady() {
        if (++ready == survivors) {
            formedAt = queue.now();
            queue.stop();
        }
    }
}
