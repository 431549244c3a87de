package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.exchange.Liveness;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What the coordinator decides about membership: when a generation is over, who is part of the next and from which step it
 * goes on. A pure state machine: it is told what happened and the time, and answers with orders.
 *
 * <p>The rules. (1) A generation is over as soon as one of its ranks has stopped in it or is lost; then all that are left
 * are stopped, and only when each has said with which weights, the next generation is formed. (2) It begins with the most
 * advanced weights that are left; they hold the sums of whole global batches only, because an all-reduce completes with all
 * micro-batches or not at all. Who lags behind takes them from a peer. (3) A rank is lost when its process is known to be
 * gone; if it is merely silent, it is given up only on the side of a possible partition that the electorate lets go on.
 * (4) Trainers join and leave at step boundaries: all ranks are asked to pause after the step that is under way.
 */
public final class Membership {

    /** Ranks that pause at a boundary do so at the same time; who has not after so long is stopped. */
    private static final long PAUSE_MILLIS = 500;

    private static final long CONFIRM_MILLIS = 1_000;
    /** A rank that has not said by then that it knows its place has not heard of it. */
    private static final long UNAWARE_MILLIS = 3_000;

    private static final int REMEMBERED_DEAD = 10_000;
    /** Generations that may fail in a row without a step before a trainer that peers cannot reach is left out. */
    private static final int PATIENCE = 2;

    private static final long SHUN_MILLIS = 15_000;

    private final Rules rules;
    private final Electorate electorate;
    private final Supplier<Optional<RestorePoint>> restorePoint;
    private final LongUnaryOperator nextNumber;

    // Who is there
    private final Map<DataAddress, Seat> seats = new LinkedHashMap<>();
    private final Set<DataAddress> dead = new LinkedHashSet<>();

    // Where the run is
    private Optional<Generation> current = Optional.empty();
    private boolean settling;
    private boolean paused;
    private long settlingSince;
    private long formedAt;
    private String cause = "";
    private int barren;
    private long formedStep = -1;
    private boolean stopping;
    private boolean saving;
    private boolean over;
    private String waitingFor = "";
    private final List<Order> orders = new ArrayList<>();

    /** A trainer that is not known to be gone. */
    private static final class Seat {
        private final DataAddress address;
        private Optional<Standing> standing = Optional.empty();
        private long heard;
        private long asked = Long.MIN_VALUE / 2;
        private boolean silent;
        private int reproaches;
        private long shunnedUntil = Long.MIN_VALUE;

        Seat(DataAddress address, long now) {
            this.address = address;
            this.heard = now;
        }

        boolean stopped() {
            return standing.isPresent() && standing.get().phase().stopped();
        }

        boolean stoppedIn(long generation) {
            return standing.isPresent() && standing.get().stoppedIn(generation);
        }

        long generation() {
            return standing.map(Standing::generationNumber).orElse(0L);
        }

        boolean leaving() {
            return standing.isPresent() && standing.get().leaving();
        }

        long step() {
            return standing.map(Standing::step).orElse(-1L);
        }

        String digest() {
            return standing.map(Standing::digest).orElse("");
        }

        String node() {
            return standing.map(Standing::node).orElse(address.host() + ":" + address.port());
        }

        /** Whether its weights are part of this run's history: it was once given a place in it. */
        boolean trusted() {
            return standing.isPresent()
                    && standing.get().generation().isPresent()
                    && standing.get().hasWeights();
        }
    }

    /**
     * @param electorate asked before a silent rank is given up
     * @param restorePoint the newest checkpoint, or the seed; asked when a generation is formed. Empty where it cannot be
     *     read, which ends the run
     * @param nextNumber makes a generation's number from the highest known so far: higher than any that the run has ever had
     */
    public Membership(
            Rules rules,
            Electorate electorate,
            Supplier<Optional<RestorePoint>> restorePoint,
            LongUnaryOperator nextNumber) {
        this.rules = rules;
        this.electorate = electorate;
        this.restorePoint = restorePoint;
        this.nextNumber = nextNumber;
    }

    // ---- What happens

    /** A trainer announces itself. */
    public List<Order> heard(Standing standing, long now) {
        DataAddress address = standing.address();
        if (dead.contains(address)) {
            orders.add(new Order.Retire(address, "it was taken for dead"));
            return take();
        }
        Seat seat = seats.computeIfAbsent(address, who -> new Seat(who, now));
        seat.heard = now;
        seat.silent = false;
        if (seat.standing.isEmpty() || seat.standing.get().sequence() < standing.sequence()) {
            seat.standing = Optional.of(standing);
        }
        standing.generation().ifPresent(generation -> adopt(generation, now));
        evaluate(now, false);
        return take();
    }

    /** A generation that another coordinator has formed. */
    private void adopt(Generation generation, long now) {
        if (current.isPresent() && current.get().number() >= generation.number()) {
            return;
        }
        current = Optional.of(generation);
        formedAt = now;
        settling = false;
        paused = false;
        for (DataAddress member : generation.members()) {
            if (!dead.contains(member)) {
                seats.computeIfAbsent(member, who -> new Seat(who, now));
            }
        }
    }

    /** A trainer has looked after another. */
    public List<Order> found(DataAddress suspect, Liveness liveness, long now) {
        Seat seat = seats.get(suspect);
        if (seat != null && liveness == Liveness.GONE) {
            drop(seat, "its process is gone");
        } else if (seat != null && liveness == Liveness.SILENT) {
            seat.reproaches++;
            if (now - seat.heard > rules.silenceMillis()) {
                seat.silent = true;
                cause = seat.node() + " is silent";
            } else if (barren >= PATIENCE) {
                seat.shunnedUntil = now + SHUN_MILLIS;
                cause = seat.node() + " is not reached by its peers";
            }
        }
        evaluate(now, false);
        return take();
    }

    /** A process is gone for certain: all of its trainers are. */
    public List<Order> gone(String processId, String why, long now) {
        List.copyOf(seats.values()).stream()
                .filter(seat -> seat.address.processId().equals(processId))
                .forEach(seat -> drop(seat, why));
        evaluate(now, false);
        return take();
    }

    /** A trainer has ended by itself. */
    public List<Order> ended(DataAddress address, String why, long now) {
        Seat seat = seats.get(address);
        if (seat != null) {
            drop(seat, why);
        }
        evaluate(now, false);
        return take();
    }

    /** Stop the run at the next step boundary, with a checkpoint. */
    public List<Order> stop(long now) {
        stopping = true;
        evaluate(now, true);
        return take();
    }

    /** The checkpoint that {@link Order.Save} asked for is written. */
    public List<Order> saved(long now) {
        if (saving && stopping) {
            over = true;
        } else if (saving) {
            saving = false;
            retireLeavers();
            evaluate(now, false);
        }
        return take();
    }

    /** Time goes by: several times a second. */
    public List<Order> tick(long now) {
        lookAfterTheSilent(now);
        evaluate(now, true);
        return take();
    }

    /** No more orders. */
    public void close() {
        over = true;
        orders.clear();
    }

    // ---- What stands

    /** The generation that is under way or was last. */
    public Optional<Generation> generation() {
        return current;
    }

    /** Whether training has begun. */
    public boolean begun() {
        return current.isPresent();
    }

    /** Whether all ranks of the generation have taken the last step. */
    public boolean finished() {
        return current.isPresent()
                && members().stream()
                        .allMatch(seat -> seat.stoppedIn(current.get().number())
                                && seat.standing.get().phase() == Phase.FINISHED)
                && !members().isEmpty();
    }

    /** Whether a stop that was asked for is complete. */
    public boolean stopped() {
        return over && stopping;
    }

    /** Trainers that are not lost. */
    public int trainers() {
        return (int) seats.values().stream().filter(seat -> !seat.silent).count();
    }

    /** The standings of the current generation's ranks, as far as they are there. */
    public List<Standing> ranks() {
        return members().stream().flatMap(seat -> seat.standing.stream()).toList();
    }

    /** Most optimizer steps that any trainer has taken; -1 before the first weights. */
    public long step() {
        return seats.values().stream().mapToLong(Seat::step).max().orElse(-1);
    }

    // ---- What follows

    private List<Order> take() {
        List<Order> taken = List.copyOf(orders);
        orders.clear();
        return taken;
    }

    /** The seats of the current generation that are left, in rank order. */
    private List<Seat> members() {
        return current.stream()
                .flatMap(generation -> generation.members().stream())
                .map(seats::get)
                .filter(seat -> seat != null && !seat.silent)
                .toList();
    }

    private void drop(Seat seat, String why) {
        seats.remove(seat.address);
        dead.add(seat.address);
        if (dead.size() > REMEMBERED_DEAD) {
            dead.remove(dead.iterator().next());
        }
        cause = seat.node() + ": " + why;
        orders.add(new Order.Dropped(seat.address, seat.node(), why));
    }

    private void lookAfterTheSilent(long now) {
        for (Seat seat : seats.values()) {
            if (!seat.silent && now - seat.heard > rules.silenceMillis() && now - seat.asked > CONFIRM_MILLIS) {
                seat.asked = now;
                witness(seat, now).ifPresent(witness -> orders.add(new Order.Confirm(witness.address, seat.address)));
            }
        }
    }

    /** Somebody who was heard lately and is of another process. */
    private Optional<Seat> witness(Seat suspect, long now) {
        return seats.values().stream()
                .filter(seat -> !seat.address.processId().equals(suspect.address.processId())
                        && now - seat.heard <= rules.silenceMillis())
                .max(Comparator.comparingLong(seat -> seat.heard));
    }

    private void evaluate(long now, boolean tick) {
        if (over) {
            return;
        }
        if (current.isEmpty()) {
            gather(now);
            return;
        }
        if (!settling && broken()) {
            settling = true;
            settlingSince = now;
        }
        if (settling) {
            settle(now, tick);
        } else if (tick && !finished()) {
            beginAnewForTheUnaware(now);
            if (allTraining()) {
                retireLeavers();
                requestPause();
            }
        }
    }

    private void gather(long now) {
        if (stopping) {
            over = true;
            return;
        }
        List<Seat> ready = candidates(now);
        if (ready.size() >= rules.worldSize()) {
            form(ready, now);
        } else {
            await("waiting for trainers: " + ready.size() + " of " + rules.worldSize() + " are here");
        }
    }

    private boolean broken() {
        return members().size() < current.get().worldSize()
                || members().stream()
                        .anyMatch(seat -> seat.stoppedIn(current.get().number())
                                && seat.standing.get().phase() == Phase.HALTED);
    }

    private boolean allTraining() {
        return members().stream()
                .allMatch(seat -> seat.standing.isPresent()
                        && seat.standing.get().generationNumber()
                                == current.get().number()
                        && seat.standing.get().phase() == Phase.TRAINING);
    }

    /** A place that was not heard of is not given again, for its coordinator may have been another: all begin anew. */
    private void beginAnewForTheUnaware(long now) {
        long number = current.get().number();
        if (now - formedAt < UNAWARE_MILLIS) {
            return;
        }
        for (Seat seat : members()) {
            if (seat.standing.isPresent() && seat.standing.get().generationNumber() < number) {
                settling = true;
                settlingSince = now;
                cause = seat.node() + " has not heard of generation " + number;
            }
        }
    }

    /** Joiners, leavers, a stop: all ranks are asked to stop after the step that is under way. */
    private void requestPause() {
        Generation generation = current.get();
        Set<DataAddress> ranks = Set.copyOf(generation.members());
        long joiners = seats.values().stream()
                .filter(seat -> seat.stopped() && !seat.leaving() && !seat.silent && !ranks.contains(seat.address))
                .count();
        boolean joins = joiners > 0 && generation.worldSize() < rules.microBatches();
        boolean leaves = members().stream().anyMatch(Seat::leaving);
        boolean balances = rules.rebalance() && unbalanced();
        if (joins || leaves || balances || stopping) {
            cause = joins ? "trainers join" : leaves ? "trainers leave" : balances ? "slow ranks" : "stop";
            paused = true;
            members().forEach(seat -> orders.add(new Order.Pause(seat.address, generation.number())));
        }
    }

    private void settle(long now, boolean tick) {
        long number = current.get().number();
        // Who is unaware of the generation has stopped in an older one, or will be stopped there.
        List<Seat> moving = members().stream()
                .filter(seat -> !seat.stopped() || seat.standing.get().generationNumber() > number)
                .toList();
        if (!moving.isEmpty()) {
            boolean patient = paused && now - settlingSince < PAUSE_MILLIS;
            if (!patient && (tick || now == settlingSince)) {
                moving.forEach(seat -> orders.add(new Order.Halt(seat.address, Math.max(number, seat.generation()))));
            }
            return;
        }
        Set<String> silent = current.get().members().stream()
                .map(seats::get)
                .filter(seat -> seat != null && seat.silent)
                .map(seat -> seat.address.processId())
                .collect(Collectors.toSet());
        if (!silent.isEmpty() && !electorate.mayGoOnWithout(silent)) {
            await("waiting: " + silent.size() + " of the trainers are silent and this side is not the larger one of the"
                    + " cluster, so they may be training; until that is decided nobody here does");
            return;
        }
        if (stopping) {
            save(members());
            return;
        }
        List<Seat> chosen = candidates(now);
        if (chosen.isEmpty() && members().stream().anyMatch(Seat::leaving)) {
            save(members());
            return;
        }
        form(chosen, now);
    }

    /** Trainers that have stopped and can take a place. */
    private List<Seat> candidates(long now) {
        return seats.values().stream()
                .filter(seat -> seat.stopped() && !seat.silent && !seat.leaving() && seat.shunnedUntil <= now)
                .toList();
    }

    /** Has the most advanced of those that are left write a checkpoint. */
    private void save(Collection<Seat> left) {
        Optional<Seat> best = left.stream().filter(Seat::trusted).max(Comparator.comparingLong(Seat::step));
        if (best.isEmpty()) {
            over = stopping;
        } else if (!saving) {
            saving = true;
            orders.add(new Order.Save(best.get().address));
        }
    }

    private void retireLeavers() {
        Set<DataAddress> ranks =
                current.isPresent() && !settling ? Set.copyOf(current.get().members()) : Set.of();
        for (Seat seat : List.copyOf(seats.values())) {
            if (seat.leaving() && seat.stopped() && !ranks.contains(seat.address)) {
                orders.add(new Order.Retire(seat.address, "it asked to leave"));
                drop(seat, "it has left");
            }
        }
    }

    private void form(List<Seat> candidates, long now) {
        long nodes = candidates.stream()
                .map(seat -> seat.address.processId())
                .distinct()
                .count();
        if (nodes < rules.minNodes()) {
            await("waiting: " + nodes + " trainer " + (nodes == 1 ? "node is" : "nodes are")
                    + " here, cluster.minNodes asks for " + rules.minNodes());
            return;
        }
        Optional<RestorePoint> saved = restorePoint.get();
        if (saved.isEmpty()) {
            return; // The caller has ended the run.
        }
        Optional<Seat> best = best(candidates);
        if (divergedAt(best)) {
            return;
        }
        List<Seat> chosen = chosen(candidates);
        boolean live = best.isPresent() && best.get().step() >= saved.get().step();
        long firstStep = live ? best.get().step() : saved.get().step();
        String digest = live ? best.get().digest() : saved.get().digest();
        barren = firstStep == formedStep ? barren + 1 : 0;
        formedStep = firstStep;
        long highest = seats.values().stream()
                .flatMap(seat -> seat.standing.stream())
                .mapToLong(Standing::generationNumber)
                .max()
                .orElse(0);
        long number = nextNumber.applyAsLong(
                Math.max(highest, current.map(Generation::number).orElse(0L)));
        Generation next =
                new Generation(number, chosen.stream().map(seat -> seat.address).toList(), rules.microBatches());
        List<Seat> sources = candidates.stream()
                .filter(seat ->
                        live && seat.step() == firstStep && seat.digest().equals(digest))
                .toList();
        for (int rank = 0; rank < chosen.size(); rank++) {
            Seat seat = chosen.get(rank);
            Origin origin = !live
                    ? saved.get().origin()
                    : sources.contains(seat) ? Origin.KEPT : Origin.peer(sources.get(rank % sources.size()).address);
            Assignment assignment = new Assignment(next, rank, firstStep, digest, origin);
            if (rank == 0) {
                orders.add(new Order.Formed(assignment, cause, describe(chosen)));
            }
            orders.add(new Order.Form(seat.address, assignment));
            seat.heard = now;
        }
        current = Optional.of(next);
        formedAt = now;
        settling = false;
        paused = false;
        saving = false;
        cause = "";
        waitingFor = "";
    }

    /** Ranks follow node names and replicas, so that they do not depend on who came first; ranks of before come first. */
    private List<Seat> chosen(List<Seat> candidates) {
        Set<DataAddress> before =
                current.map(generation -> Set.copyOf(generation.members())).orElse(Set.of());
        return candidates.stream()
                .sorted(Comparator.comparing((Seat seat) -> !before.contains(seat.address)))
                .limit(rules.microBatches())
                .sorted(Comparator.comparing(Seat::node).thenComparing(seat -> seat.address.replica()))
                .toList();
    }

    private static Optional<Seat> best(List<Seat> candidates) {
        return candidates.stream().filter(Seat::trusted).max(Comparator.comparingLong(Seat::step));
    }

    /** Ranks of one generation that are at one step must have the same history. */
    private boolean divergedAt(Optional<Seat> best) {
        if (best.isEmpty() || current.isEmpty()) {
            return false;
        }
        Map<Long, Seat> byStep = new HashMap<>();
        for (Seat seat : members()) {
            if (!seat.trusted()) {
                continue;
            }
            Seat other = byStep.putIfAbsent(seat.step(), seat);
            if (other != null && !other.digest().equals(seat.digest())) {
                over = true;
                orders.add(new Order.Fail("after step " + seat.step() + " " + other.node() + " and " + seat.node()
                        + " hold different weights (histories " + other.digest() + " and " + seat.digest()
                        + "): the replicas have diverged, do not use this run"));
                return true;
            }
        }
        return false;
    }

    private boolean unbalanced() {
        return false;
    }

    private static String describe(List<Seat> chosen) {
        return IntStream.range(0, chosen.size())
                .mapToObj(rank -> rank + " on " + chosen.get(rank).node())
                .collect(Collectors.joining(", "));
    }

    private void await(String reason) {
        if (!reason.equals(waitingFor)) {
            waitingFor = reason;
            orders.add(new Order.Wait(reason));
        }
    }
}
