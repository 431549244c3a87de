package io.rasterflow.tests.simulation;

import io.rasterflow.actors.membership.Phase;
import java.util.List;

/** One run of a seed, from the first process to the last step. */
final class Simulation {

    /** After the last fault: time to give up and to restart nodes, then all steps without haste. */
    private static final long PATIENCE_MILLIS = 60_000;

    /**
     * How a seed ended.
     *
     * @param failure empty when everything held
     * @param trace what happened, when it was asked for
     */
    record Outcome(
            long seed, String failure, int faults, long millis, int generations, int commits, List<String> trace) {}

    private final long seed;
    private final World world;
    private final double stopAt;

    private Simulation(long seed, boolean tracing) {
        this.seed = seed;
        this.world = new World(seed, tracing);
        this.stopAt = world.scheduler.chance(0.1) ? world.scheduler.between(500, 8_000) : Double.MAX_VALUE;
    }

    static Outcome run(long seed, boolean tracing) {
        Simulation simulation = new Simulation(seed, tracing);
        String failure = "";
        try {
            simulation.run();
        } catch (Ledger.Violation violation) {
            failure = violation.getMessage();
        } catch (RuntimeException broken) {
            failure = broken + " at " + List.of(broken.getStackTrace()).subList(0, 4);
        }
        return simulation.outcome(failure);
    }

    private void run() {
        world.say("%s", world.scenario);
        for (int node = 0; node < world.scenario.replicas().size(); node++) {
            int number = node;
            world.scheduler.after(world.scheduler.between(0, 400), () -> world.cluster.start(number));
        }
        new Faults(world).plan();
        if (stopAt < Double.MAX_VALUE) {
            askToStop(stopAt);
        }
        long limit = world.scenario.calmMillis() + PATIENCE_MILLIS;
        while (!ended()) {
            Ledger.require(
                    world.scheduler.now() < limit,
                    "not finished %d ms after the last fault; %d generations",
                    PATIENCE_MILLIS,
                    world.ledger.generations());
            world.scheduler.runOne();
        }
    }

    /** As an impatient user does: a coordinator that takes over does not know of it. */
    private void askToStop(double millis) {
        world.scheduler.after(millis, () -> {
            world.cluster.coordinator().ifPresent(coordinator -> coordinator.machine.run(coordinator::stop));
            askToStop(1_000);
        });
    }

    private boolean ended() {
        SimulatedCoordinator coordinator = world.cluster.coordinator().orElse(null);
        if (coordinator == null || !coordinator.machine.well()) {
            return false;
        }
        if (coordinator.membership.finished()) {
            long steps = world.scenario.rules().steps();
            String digest = "";
            for (var rank : coordinator.membership.ranks()) {
                SimulatedTrainer trainer = world.trainers.get(rank.address());
                Ledger.require(rank.step() == steps, "%s has finished too early", trainer);
                Ledger.require(
                        rank.weightsSha256().equals(Long.toHexString(trainer.weights)),
                        "%s changed its weights",
                        trainer);
                world.ledger.check(steps, trainer.weights, trainer.toString());
                digest = rank.digest();
            }
            world.ledger.proveExactlyOnce(steps, digest);
            world.ledger.audit(steps);
            return true;
        }
        if (coordinator.membership.stopped()) {
            for (Machine machine : world.cluster.members()) {
                for (SimulatedTrainer trainer : machine.trainers) {
                    Ledger.require(
                            trainer.member.phase() != Phase.TRAINING
                                    || trainer.member.generationNumber() < world.ledger.highestNumber()
                                    || !machine.well()
                                    || !world.network.reaches(machine, coordinator.machine),
                            "%s goes on after the stop",
                            trainer);
                }
            }
            var last = world.ledger.restorePoint();
            world.ledger.proveExactlyOnce(last.step(), last.digest());
            world.ledger.audit(last.step());
            return true;
        }
        return false;
    }

    private Outcome outcome(String failure) {
        return new Outcome(
                seed,
                failure,
                world.scenario.faults(),
                world.scheduler.now(),
                world.ledger.generations(),
                world.ledger.journal().size(),
                world.trace());
    }
}
