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
 * gone. If it is merely silent it may be beyond a partition: no generation is formed, and none goes on for long, where the
 * electorate does not let it; and while all ranks are silent only the cluster can tell that they are lost. (4) Trainers join and leave at step boundaries: all ranks are asked to pause after the step that is under way.
 */
public final class Membership {

    /** Ranks that pause at a boundary do so at the same time; who has not after so long is stopped. */
    private static final long PAUSE_MILLIS = 500;

    private static final long CONFIRM_MILLIS = 1_000;
    /** A rank that has not said by then that it knows its place has not heard of it. */
    private static final long UNAWARE_MILLIS = 3_000;

    /** Trainers announce themselves twice as often. */
    private static final long RECENT_MILLIS = 1_000;
    /** So long a coordinator that takes over waits for somebody who knows the last generation. */
    private static final long TAKE_OVER_MILLIS = 3_000;

    private static final int REMEMBERED_DEAD = 10_000;
    /** Generations that may fail in a row without a step before a trainer that peers cannot reach is left out. */
    private static final int PATIENCE = 2;

    private static final long SHUN_MILLIS = 15_000;

    private final Rules rules;
    private final Electorate electorate;
    private final Supplier<Optional<RestorePoint>> restorePoint;
    private final GenerationNumbers numbers;
    private final long inherited;

    // Who is there
    private final Map<DataAddress, Seat> seats = new LinkedHashMap<>();
    private final Set<DataAddress> dead = new LinkedHashSet<>();
    private final Set<String> gone = new LinkedHashSet<>();

    // Where the run is
    private Optional<Generation> current = Optional.empty();
    /** What the ranks of the current generation were told, if it was this coordinator that formed it. */
    private List<Order.Form> places = List.of();

    private boolean settling;
    private boolean paused;
    private long settlingSince;
    private long formedAt;
    private String cause = "";
    private int barren;
    private long formedStep = -1;
    private boolean stopping;
    private long begunAt = Long.MIN_VALUE;
    private boolean over;
    private String waitingFor = "";
    private final List<Order> orders = new ArrayList<>();

    /**
     * @param electorate asked before a silent rank is given up
     * @param restorePoint the newest checkpoint, or the seed; asked when a generation is formed. Empty where it cannot be
     *     read, which ends the run
     * @param numbers of generations
     */
    public Membership(
            Rules rules,
            Electorate electorate,
            Supplier<Optional<RestorePoint>> restorePoint,
            GenerationNumbers numbers) {
        this.rules = rules;
        this.electorate = electorate;
        this.restorePoint = restorePoint;
        this.numbers = numbers;
        this.inherited = numbers.highest();
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
        places = List.of();
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
            gone.add(suspect.processId());
            drop(seat, "its process is gone");
        } else if (seat != null && liveness == Liveness.SILENT) {
            if (now - seat.heard > rules.silenceMillis()) {
                seat.silent = true;
                seat.silentSince = now;
                cause = seat.node() + " is silent";
            } else if (barren >= PATIENCE) {
                seat.shunnedUntil = now + SHUN_MILLIS;
                barren = 0; // The others are tried without it before another is left out.
                cause = seat.node() + " is not reached by its peers";
            }
        }
        evaluate(now, false);
        return take();
    }

    /** A process is gone for certain: all of its trainers are. */
    public List<Order> gone(String processId, String why, long now) {
        gone.add(processId);
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
        evaluate(now, true);
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
                && members().stream().allMatch(this::finished)
                && !members().isEmpty();
    }

    private boolean finished(Seat seat) {
        return seat.stoppedIn(current.get().number()) && seat.standing.get().phase() == Phase.FINISHED;
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
        begunAt = begunAt == Long.MIN_VALUE ? now : begunAt;
        if (current.isEmpty()) {
            gather(now);
            return;
        }
        if (!settling && (broken() || tick && isolated(now))) {
            settling = true;
            settlingSince = now;
        }
        if (tick) {
            haltStragglers();
        }
        if (settling) {
            settle(now, tick);
        } else if (tick && !finished()) {
            placeTheUnaware(now);
            if (allTraining()) {
                retireLeavers();
                requestPause(now);
            }
        }
    }

    private void gather(long now) {
        if (stopping && !takingOver(now)) {
            over = true;
            return;
        }
        retireLeavers();
        List<Seat> ready = candidates(now);
        if (ready.size() >= rules.worldSize()) {
            if (decided(now) && enough(ready)) {
                form(ready, now);
            }
        } else {
            await("waiting for trainers: " + ready.size() + " of " + rules.worldSize() + " are here");
        }
    }

    /** Whether there may be a generation that goes on and that nobody has told of yet. */
    private boolean takingOver(long now) {
        return current.map(Generation::number).orElse(0L) < inherited && now - begunAt < TAKE_OVER_MILLIS;
    }

    /** Who is in an older generation has missed that there is a newer one without it. */
    private void haltStragglers() {
        Generation generation = current.get();
        for (Seat seat : seats.values()) {
            if (!seat.silent
                    && seat.standing.isPresent()
                    && !seat.stopped()
                    && seat.generation() < generation.number()
                    && !generation.members().contains(seat.address)) {
                orders.add(new Order.Halt(seat.address, seat.generation()));
            }
        }
    }

    private boolean broken() {
        return members().size() < current.get().worldSize()
                || members().stream().anyMatch(seat -> seat.closed(current.get().number()) && !finished(seat));
    }

    /** Whether too few have been heard for so long that this must be taken for the smaller side of a partition. */
    private boolean isolated(long now) {
        long since = now - 2 * rules.silenceMillis();
        return since > begunAt && since > formedAt && !finished() && !electorate.mayGoOn(heardSince(since), gone);
    }

    private boolean allTraining() {
        return members().stream()
                .allMatch(seat -> seat.standing.isPresent()
                        && seat.standing.get().generationNumber()
                                == current.get().number()
                        && seat.standing.get().phase() == Phase.TRAINING);
    }

    /** Places are given until they are taken; those that a former coordinator gave are not known, and all begin anew. */
    private void placeTheUnaware(long now) {
        long number = current.get().number();
        for (Seat seat : members()) {
            if (seat.standing.isEmpty() || seat.generation() >= number) {
                continue;
            }
            places.stream().filter(form -> form.to().equals(seat.address)).forEach(orders::add);
            if (places.isEmpty() && now - formedAt >= UNAWARE_MILLIS) {
                settling = true;
                settlingSince = now;
                cause = seat.node() + " has not heard of generation " + number;
            }
        }
    }

    /** Joiners, leavers, a stop: all ranks are asked to stop after the step that is under way. */
    private void requestPause(long now) {
        Generation generation = current.get();
        Set<DataAddress> ranks = Set.copyOf(generation.members());
        long joiners = candidates(now).stream()
                .filter(seat -> !ranks.contains(seat.address))
                .count();
        boolean joins = joiners > 0 && generation.worldSize() < rules.microBatches();
        boolean leaves = members().stream().anyMatch(Seat::leaving);
        if (joins || leaves || stopping) {
            cause = joins ? "trainers join" : leaves ? "trainers leave" : "stop";
            paused = true;
            members().forEach(seat -> orders.add(new Order.Pause(seat.address, generation.number())));
        }
    }

    private void settle(long now, boolean tick) {
        long number = current.get().number();
        // Who seems to have stopped in an older one may be on its way into this one: it must say that it stays where it
        // is.
        List<Seat> moving =
                members().stream().filter(seat -> !seat.closed(number)).toList();
        if (!moving.isEmpty()) {
            boolean patient = paused && now - settlingSince < PAUSE_MILLIS;
            if (!patient && (tick || now == settlingSince)) {
                moving.forEach(seat -> orders.add(new Order.Halt(seat.address, Math.max(number, seat.generation()))));
            }
            return;
        }
        if (!decided(now)) {
            return;
        }
        if (stopping) {
            over = tick && safe(members());
        } else {
            formOrLetGo(now, tick);
        }
    }

    /** Whether nobody else can go on with the run, so that this side may. */
    private boolean decided(long now) {
        if (takingOver(now)) {
            await("waiting for the ranks of generation " + inherited + ", which another coordinator formed");
            return false;
        }
        if (current.isPresent() && current.get().members().stream().allMatch(this::silent)) {
            // With one of them it would be over for all, but together they may go on where they are.
            await("waiting: all ranks of generation " + current.get().number() + " are silent, so they may be training;"
                    + " the cluster will find out");
            return false;
        }
        if (!electorate.mayGoOn(heardLately(now), gone)) {
            await("waiting: too few nodes are heard, so the larger part of the cluster may be training elsewhere");
            return false;
        }
        return true;
    }

    private boolean silent(DataAddress address) {
        return seats.containsKey(address) && seats.get(address).silent;
    }

    /** Who was heard since the last trainer fell silent: who is beyond a cut with it was not. */
    private Set<String> heardLately(long now) {
        long since = seats.values().stream()
                .filter(seat -> seat.silent)
                .mapToLong(seat -> seat.silentSince)
                .max()
                .orElse(now - RECENT_MILLIS);
        return heardSince(Math.max(since, now - RECENT_MILLIS));
    }

    private Set<String> heardSince(long since) {
        return seats.values().stream()
                .filter(seat -> seat.heard >= since && seat.standing.isPresent())
                .map(seat -> seat.address.processId())
                .collect(Collectors.toSet());
    }

    /** Those who want to leave need not wait for others to come. */
    private void formOrLetGo(long now, boolean tick) {
        List<Seat> chosen = candidates(now);
        boolean leavers = seats.values().stream().anyMatch(seat -> seat.leaving() && seat.stopped() && !seat.silent);
        if (enough(chosen)) {
            if (tick || barren == 0) { // Generations that fail at once are not formed as fast as messages travel.
                form(chosen, now);
            }
        } else if (leavers && tick && safe(seats.values())) {
            retireLeavers();
        }
    }

    /** Trainers that have stopped and can take a place. */
    private List<Seat> candidates(long now) {
        return seats.values().stream()
                .filter(seat -> seat.stopped() && !seat.silent && !seat.leaving() && seat.shunnedUntil <= now)
                .toList();
    }

    /** Whether the last checkpoint is as good as their weights; the most advanced of them is asked for one otherwise. */
    private boolean safe(Collection<Seat> left) {
        Optional<RestorePoint> saved = restorePoint.get();
        Optional<Seat> best = best(left);
        if (saved.isEmpty() || best.isEmpty()) {
            return best.isEmpty();
        }
        if (saved.get().step() < best.get().step()) {
            orders.add(new Order.Save(best.get().address));
            return false;
        }
        return true;
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

    private boolean enough(List<Seat> candidates) {
        long nodes = candidates.stream()
                .map(seat -> seat.address.processId())
                .distinct()
                .count();
        if (nodes < rules.minNodes()) {
            await("waiting: " + nodes + " trainer " + (nodes == 1 ? "node is" : "nodes are")
                    + " here, cluster.minNodes asks for " + rules.minNodes());
        }
        return nodes >= rules.minNodes();
    }

    private void form(List<Seat> candidates, long now) {
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
        long number =
                numbers.next(Math.max(highest, current.map(Generation::number).orElse(0L)));
        Generation next =
                new Generation(number, chosen.stream().map(seat -> seat.address).toList(), rules.microBatches());
        List<Seat> sources = candidates.stream()
                .filter(seat ->
                        live && seat.step() == firstStep && seat.digest().equals(digest))
                .toList();
        List<Order.Form> forms = new ArrayList<>();
        for (int rank = 0; rank < chosen.size(); rank++) {
            Seat seat = chosen.get(rank);
            Origin origin = !live
                    ? saved.get().origin()
                    : sources.contains(seat) ? Origin.KEPT : Origin.peer(sources.get(rank % sources.size()).address);
            Assignment assignment = new Assignment(next, rank, firstStep, digest, origin);
            if (rank == 0) {
                orders.add(new Order.Formed(assignment, cause, describe(chosen)));
            }
            forms.add(new Order.Form(seat.address, assignment));
            seat.heard = now;
        }
        orders.addAll(forms);
        places = forms;
        current = Optional.of(next);
        formedAt = now;
        settling = false;
        paused = false;
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

    private static Optional<Seat> best(Collection<Seat> candidates) {
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
