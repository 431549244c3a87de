package io.rasterflow.actors.plan;

import io.rasterflow.streams.order.CounterRandom;

/** Hosts fail at random, each at the same rate, and come back; a {@link Recovery} makes the best of it. */
final class FailureSimulation {

    private static final double SECONDS_PER_HOUR = 3600;

    private final Reliability reliability;
    private final Recovery recovery;
    private final long seed;
    private final int failures;
    private final EventQueue queue = new EventQueue();
    private int there;
    private int failed;

    private FailureSimulation(int hosts, Reliability reliability, Recovery recovery, long seed, int failures) {
        this.there = hosts;
        this.reliability = reliability;
        this.recovery = recovery;
        this.seed = seed;
        this.failures = failures;
    }

    /** Runs until so many hosts have failed. */
    static Goodput run(int hosts, Reliability reliability, Recovery recovery, long seed, int failures) {
        FailureSimulation simulation = new FailureSimulation(hosts, reliability, recovery, seed, failures);
        for (int host = 0; host < hosts; host++) {
            simulation.live(host, 0);
        }
        simulation.queue.run();
        double seconds = simulation.queue.now();
        double progress = recovery.progress(seconds);
        return new Goodput(Math.max(0, progress / seconds), failures, (seconds - progress) / failures);
    }

    private void live(int host, int life) {
        CounterRandom random = CounterRandom.of(seed, host, life);
        double seconds = -Math.log(1 - random.uniform(0)) * reliability.mtbfHours() * SECONDS_PER_HOUR;
        boolean silent = random.uniform(1) < reliability.silentFraction();
        queue.at(queue.now() + seconds, () -> lose(host, life, silent));
    }

    private void lose(int host, int life, boolean silent) {
        if (++failed == failures) {
            queue.stop();
            return;
        }
        if (recovery.spareStandsBy()) {
            recovery.lost(queue.now(), silent, there);
            live(host, life + 1);
            return;
        }
        recovery.lost(queue.now(), silent, --there);
        queue.at(queue.now() + reliability.replaceSeconds(), () -> {
            recovery.returned(queue.now(), ++there);
            live(host, life + 1);
        });
    }
}
