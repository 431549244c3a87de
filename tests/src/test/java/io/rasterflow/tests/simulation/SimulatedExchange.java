package io.rasterflow.tests.simulation;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * One rank's all-reduce within a generation, in the two hops of the direct form: each rank sends its partial sums to the
 * owner of each slice, and each owner the sum of its slice to all. What a link carries arrives in order; a link breaks at
 * once when the other process dies, and after a while when it is merely silent.
 *
 * <p>A slice's sum stands for the whole: the sum of the gradients of all micro-batches with a bit for each.
 */
final class SimulatedExchange {

    private static final double RETRY_MILLIS = 50;
    private static final long JOIN_MILLIS = 6_000;

    /**
     * What a rank contributes, or an owner makes of it.
     *
     * @param included a bit for each micro-batch
     * @param signals for all ranks, by or
     */
    record Sum(long value, long included, int signals) {

        static final Sum NOTHING = new Sum(0, 0, 0);

        Sum plus(Sum other) {
            Ledger.require((included & other.included) == 0, "a micro-batch is added twice");
            return new Sum(value + other.value, included | other.included, signals | other.signals);
        }
    }

    /** One step, as far as it has come here. */
    private static final class Round {
        private Sum slice = Sum.NOTHING;
        private int partials;
        private Sum whole;
        private int slices;
    }

    /** The way to one peer. */
    private static final class Pipe {
        private final Deque<Consumer<SimulatedExchange>> messages = new ArrayDeque<>();
        private boolean connected;
        private double delay;
    }

    private final World world;
    private final SimulatedTrainer owner;
    private final Generation generation;
    private final int rank;
    private final long began;
    private final Pipe[] pipes;
    private final Map<Long, Round> rounds = new HashMap<>();
    private boolean closed;

    SimulatedExchange(World world, SimulatedTrainer owner, Generation generation, int rank) {
        this.world = world;
        this.owner = owner;
        this.generation = generation;
        this.rank = rank;
        this.began = world.scheduler.now();
        this.pipes = new Pipe[generation.worldSize()];
        for (int peer = 0; peer < pipes.length; peer++) {
            pipes[peer] = new Pipe();
            pipes[peer].delay = world.scheduler.chance(0.2) ? 20 : 1;
        }
        pipes[rank].connected = true;
    }

    Generation generation() {
        return generation;
    }

    boolean closed() {
        return closed;
    }

    Machine machine() {
        return owner.machine;
    }

    // ---- Joining

    /** Connects to all; the owner hears of it, or of the first loss. */
    void join() {
        world.listen(owner.address, this);
        for (int peer = 0; peer < pipes.length; peer++) {
            if (peer != rank) {
                int other = peer;
                machine().after(world.scheduler.between(0.2, 2), () -> connect(other));
            }
        }
        if (complete()) {
            owner.connected(this);
        }
    }

    private void connect(int peer) {
        if (closed || pipes[peer].connected) {
            return;
        }
        DataAddress address = generation.members().get(peer);
        SimulatedTrainer other = world.trainers.get(address);
        SimulatedExchange theirs = world.exchange(address, generation);
        long waited = world.scheduler.now() - began;
        boolean reaches = world.network.reaches(machine(), other.machine);
        if (!reaches || other.machine.hanging()) {
            retry(peer, waited > world.scenario.linkSilenceMillis(), "does not answer");
        } else if (!other.machine.alive() || other.retired()) {
            lost(peer, "is not there");
        } else if (theirs != null && !theirs.closed) {
            theirs.linked(rank);
            linked(peer);
        } else if (theirs != null || !other.mayJoin(generation.number())) {
            lost(peer, "has left generation " + generation.number());
        } else {
            retry(peer, waited > JOIN_MILLIS, "has not joined");
        }
    }

    private void retry(int peer, boolean tooLate, String why) {
        if (tooLate) {
            lost(peer, why);
        } else {
            machine().after(RETRY_MILLIS, () -> connect(peer));
        }
    }

    private void linked(int peer) {
        machine().after(0.2, () -> {
            if (!closed && !pipes[peer].connected) {
                pipes[peer].connected = true;
                if (complete()) {
                    owner.connected(this);
                }
            }
        });
    }

    boolean complete() {
        for (Pipe pipe : pipes) {
            if (!pipe.connected) {
                return false;
            }
        }
        return true;
    }

    // ---- Leaving

    /** Peers notice after all that was sent before. */
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (int peer = 0; peer < pipes.length; peer++) {
            if (peer != rank && pipes[peer].connected) {
                send(peer, other -> other.lost(rank, "has left"));
            }
        }
    }

    /** The process has died; some of what it sent may still be on its way. */
    void die() {
        closed = true;
        for (int peer = 0; peer < pipes.length; peer++) {
            SimulatedExchange other = peer(peer);
            if (peer == rank || other == null) {
                continue;
            }
            if (world.scheduler.chance(0.5)) {
                pipes[peer].messages.clear();
            }
            if (world.network.reaches(machine(), other.machine())) {
                send(peer, them -> them.lost(rank, "has died"));
            } else {
                int lost = rank;
                other.machine().after(world.scenario.linkSilenceMillis(), () -> other.lost(lost, "is silent"));
            }
        }
    }

    /** After a silence of the usual length, if {@code still} holds then, the peer is given up. */
    void watch(int peer, BooleanSupplier still) {
        double silence = world.scenario.linkSilenceMillis() * world.scheduler.between(1, 1.3);
        machine().after(silence, () -> {
            if (still.getAsBoolean()) {
                lost(peer, "is silent");
            }
        });
    }

    private void lost(int peer, String why) {
        if (!closed) {
            owner.lost(this, generation.members().get(peer), why);
        }
    }

    int worldSize() {
        return pipes.length;
    }

    /** The other end; null when it was never there. */
    SimulatedExchange peer(int peer) {
        return world.exchange(generation.members().get(peer), generation);
    }

    // ---- The two hops

    /** This rank's part of a step: to the owner of each slice. */
    void contribute(long step, Sum part) {
        for (int peer = 0; peer < pipes.length && !closed; peer++) {
            send(peer, owner -> owner.partial(step, part));
        }
    }

    private void partial(long step, Sum part) {
        if (closed) {
            return;
        }
        Round round = rounds.computeIfAbsent(step, ignored -> new Round());
        round.slice = round.slice.plus(part);
        round.partials++;
        if (round.partials == pipes.length) {
            Sum slice = round.slice;
            for (int peer = 0; peer < pipes.length && !closed; peer++) {
                send(peer, other -> other.reduced(step, slice));
            }
        }
    }

    private void reduced(long step, Sum slice) {
        if (closed) {
            return;
        }
        Round round = rounds.computeIfAbsent(step, ignored -> new Round());
        Ledger.require(round.whole == null || round.whole.equals(slice), "the slices of step %d differ", step);
        round.whole = slice;
        round.slices++;
        if (round.slices == pipes.length) {
            rounds.remove(step);
            owner.summed(this, step, slice);
        }
    }

    private void send(int peer, Consumer<SimulatedExchange> message) {
        if (peer == rank) {
            machine().after(0, () -> message.accept(this));
            return;
        }
        world.sends(machine());
        if (!machine().alive()) {
            return;
        }
        pipes[peer].messages.add(message);
        double delay = pipes[peer].delay;
        world.scheduler.after(world.scheduler.between(0.1, 0.1 + delay), () -> arrive(peer));
    }

    /** Each message makes one of these; who comes first takes the oldest, so that order is kept. */
    private void arrive(int peer) {
        SimulatedExchange other = peer(peer);
        Pipe pipe = pipes[peer];
        if (pipe.messages.isEmpty() || other == null || other.closed) {
            return;
        }
        if (world.network.reaches(machine(), other.machine())) {
            Consumer<SimulatedExchange> message = pipe.messages.remove();
            other.machine().run(() -> message.accept(other));
        } else {
            world.scheduler.after(RETRY_MILLIS, () -> arrive(peer));
        }
    }
}
