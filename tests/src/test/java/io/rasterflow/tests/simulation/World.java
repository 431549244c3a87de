package io.rasterflow.tests.simulation;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.Membership;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All that a simulated process can touch. */
final class World {

    final Scheduler scheduler;
    final Scenario scenario;
    final ControlNetwork network;
    final Ledger ledger;
    final Cluster cluster;
    /** In the order of their start. */
    final Map<DataAddress, SimulatedTrainer> trainers = new LinkedHashMap<>();

    private final Map<Ear, SimulatedExchange> exchanges = new HashMap<>();
    private final Map<Long, Long> formedAt = new HashMap<>();
    /** Per cut, who was the first to take a step of a generation that was formed since. */
    private final Map<Integer, Machine> firstSinceCut = new HashMap<>();

    /** Whom the next all-reduce kills, and after how many more sent messages. */
    private Machine ambushed;

    private int ambushAfter;

    private final List<String> trace = new ArrayList<>();
    private final boolean tracing;

    World(long seed, boolean tracing) {
        this.tracing = tracing;
        this.scheduler = new Scheduler(seed);
        this.scenario = Scenario.draw(scheduler);
        this.network = new ControlNetwork(scheduler, scenario.loss(), scenario.repetition(), scenario.lateness());
        this.ledger = new Ledger(
                scheduler,
                Arithmetic.undisturbed(
                        (int) scenario.rules().steps(), scenario.rules().microBatches()),
                scenario.rules().microBatches());
        this.cluster = new Cluster(this);
    }

    void say(String what, Object... details) {
        if (tracing) {
            trace.add(String.format("%8d ms  ", scheduler.now()) + String.format(what, details));
        }
    }

    List<String> trace() {
        return trace;
    }

    /** A coordinator begins a generation. */
    void formed(SimulatedCoordinator by, Assignment first) {
        ledger.formed(first);
        formedAt.put(first.generation().number(), scheduler.now());
        if (cluster.coordinator().filter(by::equals).isEmpty()) {
            return; // One that does not know yet that it was replaced.
        }
        for (DataAddress address : first.generation().members()) {
            SimulatedTrainer rank = trainers.get(address);
            Ledger.require(
                    rank.member.step() <= first.firstStep(),
                    "generation %d begins at step %d, but %s is further",
                    first.generation().number(),
                    first.firstStep(),
                    rank);
        }
    }

    /**
     * While the network is cut, only one side goes on in generations that were formed since. Ranks of a run that rests
     * stand still.
     */
    void committed(SimulatedTrainer who, long included) {
        ledger.committed(who, included);
        cluster.coordinator()
                .map(coordinator -> coordinator.membership)
                .filter(Membership::rests)
                .ifPresent(membership -> Ledger.require(
                        membership.ranks().stream()
                                .noneMatch(rank -> rank.address().equals(who.address)),
                        "%s takes a step although the run rests",
                        who));
        if (network.isCut() && formedAt.get(who.member.generationNumber()) > cluster.cutSince()) {
            Machine first = firstSinceCut.computeIfAbsent(network.cuts(), cut -> who.machine);
            Ledger.require(
                    network.reaches(first, who.machine),
                    "%s takes a step on one side of a cut after %s did on the other",
                    who,
                    first);
        }
    }

    /**
     * A trainer is told to go. One that the cluster has not given up has asked for it, is not needed by its generation,
     * and takes no weights with it that nobody else has.
     */
    void letGo(SimulatedTrainer who) {
        if (!cluster.members().contains(who.machine)) {
            return;
        }
        Ledger.require(who.member.leaving(), "%s is taken for dead", who);
        Ledger.require(who.member.phase().stopped(), "%s is let go while it trains", who);
        long kept = trainers.values().stream()
                .filter(other -> other != who && isOrWasOfUse(other, who))
                .mapToLong(other -> other.member.step())
                .max()
                .orElse(-1);
        Ledger.require(
                who.member.step() <= Math.max(kept, ledger.restorePoint().step()),
                "%s is let go with weights that nobody else has",
                who);
    }

    /** A rank of a newer generation may just have died with the weights that it was given. */
    private static boolean isOrWasOfUse(SimulatedTrainer other, SimulatedTrainer leaver) {
        boolean newer = other.member.generationNumber() > leaver.member.generationNumber();
        return newer || other.machine.alive() && !other.retired();
    }

    // ---- The data plane: an exchange of every generation may listen at an address

    private record Ear(DataAddress address, long generation) {}

    void listen(DataAddress address, SimulatedExchange exchange) {
        exchanges.put(new Ear(address, exchange.generation().number()), exchange);
    }

    /** The exchange of that generation that listens or listened there; null when there was none. */
    SimulatedExchange exchange(DataAddress address, Generation generation) {
        return exchanges.get(new Ear(address, generation.number()));
    }

    List<SimulatedExchange> openExchanges() {
        return trainers.values().stream()
                .map(trainer -> trainer.exchange)
                .filter(exchange -> exchange != null && !exchange.closed())
                .toList();
    }

    /** Lets a process die in the middle of an all-reduce. */
    void ambush(Machine machine, int messages) {
        ambushed = machine;
        ambushAfter = messages;
    }

    void sends(Machine machine) {
        if (machine == ambushed && ambushAfter-- == 0) {
            ambushed = null;
            cluster.crash(machine);
        }
    }
}
