package io.rasterflow.tests.simulation;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What goes wrong, and who comes and goes, until the calm begins. */
final class Faults {

    private final World world;
    private final Scheduler scheduler;
    private final long calm;

    Faults(World world) {
        this.world = world;
        this.scheduler = world.scheduler;
        this.calm = world.scenario.calmMillis();
    }

    void plan() {
        for (int fault = 0; fault < world.scenario.faults(); fault++) {
            scheduler.after(scheduler.between(300, calm), this::strike);
        }
        scheduler.after(calm, () -> {
            world.say("calm begins");
            world.network.calm();
        });
    }

    private double left() {
        return Math.max(1, calm - scheduler.now());
    }

    private void strike() {
        Optional<Machine> victim = anyone();
        if (victim.isEmpty()) {
            return;
        }
        switch (scheduler.below(13)) {
            case 0, 1 -> world.cluster.crash(victim.get());
            case 2, 3 -> world.ambush(victim.get(), scheduler.below(12));
            case 4 -> world.cluster.hang(victim.get(), Math.min(left(), scheduler.between(50, 3_000)));
            case 5 -> world.cluster.hang(victim.get(), Math.min(left(), scheduler.between(1_000, 12_000)));
            case 6, 7 -> cut();
            case 8 -> victim.get().run(() -> victim.get().trainers.forEach(SimulatedTrainer::leave));
            case 9 -> world.cluster.restartCoordinator();
            case 10 -> crashCoordinator(victim.get());
            case 11 -> pause();
            default -> {
                world.say("a storm of messages");
                world.network.storm(Math.min(left(), scheduler.between(500, 4_000)));
            }
        }
    }

    private void cut() {
        double longest = world.scenario.longestCutMillis();
        if (scheduler.chance(0.5)) {
            world.cluster.cut(theRanks(), Math.min(left(), scheduler.between(longest / 2, longest)));
        } else {
            world.cluster.cut(someone(), Math.min(left(), scheduler.between(100, longest)));
        }
    }

    /** All ranks on one side, with the coordinator or without it: whoever is in reserve may be the larger side. */
    private Set<Machine> theRanks() {
        Set<Machine> side = new LinkedHashSet<>();
        world.cluster.coordinator().ifPresent(coordinator -> {
            coordinator.membership.ranks().forEach(rank -> side.add(world.trainers.get(rank.address()).machine));
            if (scheduler.chance(0.5)) {
                side.add(coordinator.machine);
            } else {
                side.remove(coordinator.machine);
            }
        });
        side.retainAll(world.cluster.members());
        return side.size() == world.cluster.members().size() ? Set.of() : side;
    }

    /** Alone or together with another. */
    private void crashCoordinator(Machine other) {
        world.cluster.coordinator().ifPresent(coordinator -> world.cluster.crash(coordinator.machine));
        if (scheduler.chance(0.5)) {
            world.cluster.crash(other);
        }
    }

    /** A coordinator that takes over does not know of it. */
    private void pause() {
        world.cluster.coordinator().ifPresent(coordinator -> {
            coordinator.machine.run(coordinator::hold);
            double pause = Math.min(left(), scheduler.between(100, 5_000));
            scheduler.after(pause, () -> coordinator.machine.run(coordinator::release));
        });
    }

    private Optional<Machine> anyone() {
        List<Machine> well =
                world.cluster.members().stream().filter(Machine::well).toList();
        return well.isEmpty() ? Optional.empty() : Optional.of(well.get(scheduler.below(well.size())));
    }

    private Set<Machine> someone() {
        Set<Machine> side = new LinkedHashSet<>();
        for (Machine machine : world.cluster.members()) {
            if (scheduler.chance(0.5)) {
                side.add(machine);
            }
        }
        return side.size() == world.cluster.members().size() ? Set.of() : side;
    }
}
