package io.rasterflow.tests.simulation;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The nodes and what their cluster makes of them: it gives up who cannot be reached for long, by the majority's rule, and
 * moves the coordinator to the oldest node that is left.
 */
final class Cluster {

    /** The losing side of a cut mostly ends within so long; then the other side goes on. */
    private static final double DOWNING_MILLIS = 1_000;
    /**
     * But its failure detector may be later than that of the winners, and it does not know that it has lost: then its
     * coordinator must stop it. A side without one relies on the cluster alone.
     */
    private static final double LINGERING_MILLIS = 15_000;

    private final World world;
    private final Scheduler scheduler;
    /** What the cluster takes for its members, the oldest first. */
    private final List<Machine> members = new ArrayList<>();

    private final List<SimulatedCoordinator> coordinators = new ArrayList<>();
    /** Losers of a cut, some of which may not know it yet. */
    private final List<Machine> lingering = new ArrayList<>();

    private int ages;
    private long cutSince;
    private boolean electing;

    Cluster(World world) {
        this.world = world;
        this.scheduler = world.scheduler;
    }

    List<Machine> members() {
        return members;
    }

    // ---- Nodes begin and end

    /** A node's next process; it cannot join while the cluster is cut. */
    void start(int node) {
        if (world.network.isCut()) {
            scheduler.after(500, () -> start(node));
            return;
        }
        Machine machine = new Machine(scheduler, node, ages++);
        members.add(machine);
        for (int replica = 0; replica < world.scenario.replicas().get(node); replica++) {
            SimulatedTrainer trainer = new SimulatedTrainer(world, machine, replica);
            machine.trainers.add(trainer);
            world.trainers.put(trainer.address, trainer);
            trainer.start();
        }
        world.say("%s begins", machine);
        elect();
    }

    void crash(Machine machine) {
        if (end(machine, "crashes")) {
            scheduler.after(world.scenario.unreachableMillis(), () -> giveUp(machine));
        }
    }

    private boolean end(Machine machine, String how) {
        if (!machine.alive()) {
            return false;
        }
        world.say("%s %s", machine, how);
        machine.trainers.forEach(SimulatedTrainer::die);
        machine.die();
        scheduler.after(scheduler.between(300, 5_000), () -> start(machine.number));
        return true;
    }

    /** A process whose trainers have all been let go ends in good order; a cluster that is cut is not told of it. */
    void exitIfUnused(Machine machine) {
        if (!machine.trainers.stream().allMatch(SimulatedTrainer::retired)) {
            return;
        }
        if (world.network.isCut()) {
            crash(machine);
        } else if (end(machine, "exits")) {
            remove(Set.of(machine), "has left the cluster");
        }
    }

    void hang(Machine machine, double millis) {
        if (!machine.well()) {
            return;
        }
        world.say("%s hangs for %.0f ms", machine, millis);
        machine.hang();
        int which = machine.hangs();
        for (SimulatedExchange exchange : world.openExchanges()) {
            for (int peer = 0; peer < exchange.worldSize(); peer++) {
                SimulatedExchange other = exchange.peer(peer);
                if (other != null && other.machine() == machine && exchange.machine() != machine) {
                    exchange.watch(peer, () -> machine.hanging() && machine.hangs() == which);
                }
            }
        }
        scheduler.after(millis, () -> wake(machine));
        scheduler.after(world.scenario.unreachableMillis(), () -> {
            if (machine.hanging() && machine.hangs() == which) {
                giveUp(machine);
            }
        });
    }

    private void wake(Machine machine) {
        if (machine.hanging()) {
            world.say("%s wakes up", machine);
            machine.wake();
            if (!members.contains(machine)) {
                scheduler.after(scheduler.between(0, DOWNING_MILLIS), () -> end(machine, "finds itself removed"));
            }
        }
    }

    /** The cluster decides about a node that has died or hangs. */
    private void giveUp(Machine machine) {
        if (!members.contains(machine) || machine.well()) {
            return;
        }
        Set<Machine> here = ordered(members.stream().filter(Machine::well));
        if (world.network.isCut()) {
            scheduler.after(500, () -> giveUp(machine)); // The cut is decided first.
        } else if (!machine.alive() || hasMajority(here)) {
            remove(Set.of(machine), "was removed from the cluster");
        } else {
            for (Machine loser : here) {
                end(loser, "ends: it is on the smaller side");
            }
            remove(here, "is on the smaller side");
            scheduler.after(1_000, () -> giveUp(machine));
        }
    }

    private void remove(Set<Machine> lost, String why) {
        for (SimulatedCoordinator coordinator : coordinators) {
            if (lost.contains(coordinator.machine)) {
                coordinator.membersAsItKnows = List.copyOf(members);
            }
        }
        members.removeAll(lost);
        for (SimulatedCoordinator coordinator : coordinators) {
            if (members.contains(coordinator.machine)) {
                lost.forEach(machine -> coordinator.machine.run(() -> coordinator.gone(machine.id, why)));
            }
        }
        elect();
    }

    // ---- The network is cut

    void cut(Set<Machine> side, double millis) {
        if (world.network.isCut() || side.isEmpty()) {
            return;
        }
        world.say("the network is cut for %.0f ms: %s cannot reach the others", millis, side);
        world.network.cut(side);
        cutSince = scheduler.now();
        int which = world.network.cuts();
        for (SimulatedExchange exchange : world.openExchanges()) {
            for (int peer = 0; peer < exchange.worldSize(); peer++) {
                SimulatedExchange other = exchange.peer(peer);
                if (other != null && !world.network.reaches(exchange.machine(), other.machine())) {
                    exchange.watch(peer, () -> isCut(which));
                }
            }
        }
        scheduler.after(millis, () -> {
            world.say("the network is whole again");
            world.network.heal();
            lingering.forEach(loser -> scheduler.after(
                    scheduler.between(0, DOWNING_MILLIS), () -> end(loser, "learns that it was given up")));
            lingering.clear();
        });
        scheduler.after(world.scenario.unreachableMillis(), () -> {
            if (isCut(which)) {
                decide(side);
            }
        });
    }

    private boolean isCut(int which) {
        return world.network.isCut() && world.network.cuts() == which;
    }

    /** Both sides decide alike; who loses ends, and only then the winners go on without. */
    private void decide(Set<Machine> side) {
        Set<Machine> far = ordered(members.stream().filter(machine -> machine.well() && side.contains(machine)));
        Set<Machine> near = ordered(members.stream().filter(machine -> machine.well() && !side.contains(machine)));
        Set<Machine> losers = new LinkedHashSet<>(members);
        if (hasMajority(far)) {
            losers.removeAll(far);
        } else if (hasMajority(near)) {
            losers.removeAll(near);
        }
        world.say("the cluster gives up %s", losers);
        List<Machine> ordered = members.stream().filter(losers::contains).toList();
        boolean coordinated = coordinators.stream().anyMatch(coordinator -> losers.contains(coordinator.machine));
        double latest = coordinated && scheduler.chance(0.5) ? LINGERING_MILLIS : DOWNING_MILLIS;
        for (Machine loser : ordered) {
            lingering.add(loser);
            scheduler.after(scheduler.between(0, latest), () -> end(loser, "ends: it is on the smaller side"));
        }
        scheduler.after(DOWNING_MILLIS + 1, () -> remove(new LinkedHashSet<>(ordered), "was given up"));
    }

    private boolean hasMajority(Set<Machine> here) {
        return hasMajority(here, members);
    }

    /** A seed is always the same run, so the order of machines must not be that of their identities. */
    private static Set<Machine> ordered(Stream<Machine> machines) {
        return machines.collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** Only nodes with trainers count. */
    private static boolean hasMajority(Set<Machine> here, List<Machine> all) {
        List<Machine> voters =
                all.stream().filter(machine -> !machine.trainers.isEmpty()).toList();
        long votes = voters.stream().filter(here::contains).count();
        return 2 * votes > voters.size() || 2 * votes == voters.size() && (votes == 0 || here.contains(voters.get(0)));
    }

    long cutSince() {
        return cutSince;
    }

    /** What a coordinator there is told by its {@link io.rasterflow.actors.membership.Electorate}. */
    boolean mayGoOn(SimulatedCoordinator there, Set<String> heard, Set<String> gone) {
        List<Machine> known = members.contains(there.machine) ? members : there.membersAsItKnows;
        List<Machine> voters =
                known.stream().filter(machine -> !gone.contains(machine.id)).toList();
        return hasMajority(
                voters.stream().filter(machine -> heard.contains(machine.id)).collect(Collectors.toSet()), voters);
    }

    // ---- The coordinator

    private void elect() {
        boolean there = coordinators.stream().anyMatch(coordinator -> members.contains(coordinator.machine));
        if (there || electing || members.isEmpty()) {
            return;
        }
        electing = true;
        scheduler.after(scheduler.between(100, 2_000), () -> {
            electing = false;
            Optional<Machine> oldest = members.stream().filter(Machine::well).findFirst();
            oldest.ifPresentOrElse(this::coordinate, this::elect);
        });
    }

    private void coordinate(Machine machine) {
        world.say("%s becomes the coordinator", machine);
        SimulatedCoordinator coordinator = new SimulatedCoordinator(world, machine);
        coordinators.add(0, coordinator);
        coordinator.tick();
    }

    /** The coordinator's actor begins anew where it is. */
    void restartCoordinator() {
        coordinator().filter(old -> old.machine.well()).ifPresent(old -> {
            old.end();
            coordinate(old.machine);
        });
    }

    /** The one that the cluster has now. */
    Optional<SimulatedCoordinator> coordinator() {
        return coordinators.stream()
                .filter(coordinator -> members.contains(coordinator.machine))
                .findFirst();
    }

    /** From a trainer's process to the newest coordinator that it can reach. */
    void toCoordinator(Machine from, Consumer<SimulatedCoordinator> message) {
        coordinators.stream()
                .filter(coordinator -> world.network.reaches(from, coordinator.machine))
                .findFirst()
                .ifPresent(coordinator ->
                        world.network.send(from, coordinator.machine, () -> message.accept(coordinator)));
    }
}
