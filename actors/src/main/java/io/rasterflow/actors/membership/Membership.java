package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.exchange.Liveness;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What the coordinator decides about membership: when a generation is over, who is part of the next and from which step it
 * goes on. A pure state machine: it is told what happened and the time, and answers with orders.
 *
 * <p>The rules. (1) A generation is over as soon as one of its ranks has stopped in it or is lost; then all that are left
 * are stopped, and only when each has said with which weights, the next generation is formed. (2) It begins with the most
 * advanced weights that are left; they hold the sums of whole global batches only, because an all-reduce completes with all
 * micro-batches or not at all. Who lags behind takes them from a peer. (3) A rank is lost when its process is known to be
 * gone. If it is merely silent it may be beyond a partition: no generation is formed, and none goes on for long, where the
 * electorate does not let it; and while all ranks are silent only the cluster can tell that they are lost. (4) Trainers join
 * and leave at step boundaries, joiners when they and the ranks are connected ({@link Expectation}): all ranks are asked to pause after the step that is under way; a run that is held rests
 * there, and no generation is formed until it is released. (5) Trainers name their generation by its number; one that is
 * newer than the last that is known was formed by another coordinator, and before anything else is decided one of its ranks
 * is asked who is in it.
 */
public final class Membership {

    /** Ranks that pause at a boundary do so at the same time; who has not after so long is stopped. */
    private static final long PAUSE_MILLIS = 500;

    /** A rank that has not said by then that it knows its place has not heard of it. */
    private static final long UNAWARE_MILLIS = 3_000;

    private static final long SHUN_MILLIS = 15_000;

    private final Rules rules;
    private final Supplier<Optional<RestorePoint>> restorePoint;
    private final GenerationNumbers numbers;
    private final Orders orders = new Orders();

    // Who is there
    private final Seats seats = new Seats();
    private final Silence silence;
    private final TakeOver takeOver;
    private final Departures departures;
    private final Halts halts;
    private final Expectation expectation;

    // Where the run is
    private Optional<Ranks> current = Optional.empty();
    /** What the ranks of the current generation are told, if it was this coordinator that formed it. */
    private Optional<Places> places = Optional.empty();

    private boolean settling;
    private boolean paused;
    private long settlingSince;
    private long formedAt;
    private String cause = "";
    private final Futility futility = new Futility();
    private boolean stopping;
    private boolean held;
    private boolean over;

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
        this.restorePoint = restorePoint;
        this.numbers = numbers;
        this.silence = new Silence(seats, electorate, rules.silenceMillis(), orders);
        this.takeOver = new TakeOver(seats, orders, numbers.highest());
        this.departures = new Departures(seats, restorePoint, orders);
        this.halts = new Halts(seats, orders);
        this.expectation = new Expectation(rules.microBatches(), orders, numbers);
    }

    // ---- What happens

    /** A trainer announces itself. */
    public List<Order> heard(Standing standing, long now) {
        silence.lookAtTheClock(now);
        DataAddress address = standing.address();
        if (seats.isDead(address)) {
            orders.add(new Order.Retire(address, "it was taken for dead"));
            return orders.take();
        }
        Seat seat = seats.at(address, now);
        boolean news =
                seat.silent || seat.standing.isEmpty() || seat.standing.get().sequence() < standing.sequence();
        seat.heard = now;
        seat.silent = false;
        if (news) {
            seat.standing = Optional.of(standing);
            takeOver.heardOf(standing.generation());
        }
        if (news && matters(seat)) {
            evaluate(now, false);
        }
        return orders.take();
    }

    /** Nothing follows from a rank's being on its way; with thousands of them it would take long to find that out. */
    private boolean matters(Seat seat) {
        return current.isEmpty()
                || takeOver.named() > current.get().number()
                || seat.generation() != current.get().number()
                || seat.closed(current.get().number());
    }

    /** A trainer says who is in its generation, as {@link Order.Describe} asked it. */
    public List<Order> described(Roster roster, long now) {
        roster.generation(Optional.empty(), 0)
                .filter(generation -> current.isEmpty() || current.get().number() < generation.number())
                .ifPresent(generation -> adopt(generation, roster.fingerprint(), now));
        evaluate(now, false);
        return orders.take();
    }

    /** A generation that another coordinator has formed. */
    private void adopt(Generation generation, long fingerprint, long now) {
        for (DataAddress member : generation.members()) {
            if (!seats.isDead(member)) {
                seats.at(member, now);
            }
        }
        places = Optional.empty();
        begin(generation, fingerprint, now);
    }

    private void begin(Generation generation, long fingerprint, long now) {
        current = Optional.of(new Ranks(generation, fingerprint, seats));
        formedAt = now;
        settling = false;
        paused = false;
        expectation.forget();
    }

    /** A trainer has looked after another. */
    public List<Order> found(DataAddress suspect, Liveness liveness, long now) {
        Seat seat = seats.find(suspect).orElse(null);
        if (seat != null && liveness == Liveness.GONE) {
            seats.markGone(suspect.processId());
            drop(seat, "its process is gone");
        } else if (seat != null && liveness == Liveness.SILENT) {
            if (silence.lasts(seat, now)) {
                seat.silent = true;
                seat.silentSince = now;
                cause = seat.node() + " is silent";
            } else if (futility.isEnough()) {
                seat.shunnedUntil = now + SHUN_MILLIS;
                futility.forget(); // The others are tried without it before another is left out.
                cause = seat.node() + " is not reached by its peers";
            }
        }
        evaluate(now, false);
        return orders.take();
    }

    /** A process is gone for certain: all of its trainers are. */
    public List<Order> gone(String processId, String why, long now) {
        seats.markGone(processId);
        seats.of(processId).forEach(seat -> drop(seat, why));
        evaluate(now, false);
        return orders.take();
    }

    /** A trainer has ended by itself. */
    public List<Order> ended(DataAddress address, String why, long now) {
        seats.find(address).ifPresent(seat -> drop(seat, why));
        evaluate(now, false);
        return orders.take();
    }

    /** Stop the run at the next step boundary, with a checkpoint. */
    public List<Order> stop(long now) {
        stopping = true;
        evaluate(now, true);
        return orders.take();
    }

    /** Rest at the next step boundary; members stay, come and go meanwhile. */
    public List<Order> hold(long now) {
        held = true;
        evaluate(now, true);
        return orders.take();
    }

    /** Go on, in a new generation that begins with the weights of the last. */
    public List<Order> release(long now) {
        held = false;
        cause = settling ? "the pause is over" : cause;
        evaluate(now, true);
        return orders.take();
    }

    /** The checkpoint that {@link Order.Save} asked for is written. */
    public List<Order> saved(long now) {
        evaluate(now, true);
        return orders.take();
    }

    /** Time goes by: several times a second. */
    public List<Order> tick(long now) {
        silence.lookAfterTheSilent(now);
        evaluate(now, true);
        return orders.take();
    }

    /** No more orders. */
    public void close() {
        over = true;
        orders.take();
    }

    // ---- What stands

    /** The generation that is under way or was last. */
    public Optional<Generation> generation() {
        return current.map(ranks -> ranks.generation);
    }

    /** Whether training has begun. */
    public boolean begun() {
        return current.isPresent();
    }

    /** Whether all ranks of the generation have taken the last step. */
    public boolean finished() {
        return current.isPresent() && current.get().finished();
    }

    /** Whether a stop that was asked for is complete. */
    public boolean stopped() {
        return over && stopping;
    }

    /** Whether the run was asked to rest. */
    public boolean held() {
        return held;
    }

    /** Whether it does: no rank takes a step before it is released. */
    public boolean rests() {
        boolean still = current.isEmpty()
                || settling
                        && !current.get().present().isEmpty()
                        && !current.get().move();
        return held && still;
    }

    /** Whether that trainer is neither lost nor silent. */
    public boolean isHere(DataAddress trainer) {
        return seats.find(trainer).filter(seat -> !seat.silent).isPresent();
    }

    /** Trainers that are not lost. */
    public int trainers() {
        return (int) seats.all().stream().filter(seat -> !seat.silent).count();
    }

    /** The standings of the current generation's ranks, as far as they are there. */
    public List<Standing> ranks() {
        return current.stream()
                .flatMap(ranks -> ranks.present().stream())
                .flatMap(seat -> seat.standing.stream())
                .toList();
    }

    /** Most optimizer steps that any trainer has taken; -1 before the first weights. */
    public long step() {
        return seats.all().stream().mapToLong(Seat::step).max().orElse(-1);
    }

    /** The step that the furthest weights wait for: of a trainer, or of the last checkpoint. */
    public long nextStep() {
        return Math.max(
                Math.max(0, step()), restorePoint.get().map(RestorePoint::step).orElse(0L));
    }

    // ---- What follows

    private void drop(Seat seat, String why) {
        seats.bury(seat);
        current.ifPresent(ranks -> ranks.remove(seat));
        cause = seat.node() + ": " + why;
        orders.add(new Order.Dropped(seat.address, seat.node(), why));
    }

    private void evaluate(long now, boolean tick) {
        if (over) {
            return;
        }
        silence.lookAtTheClock(now);
        takeOver.begin(now);
        if (takeOver.learns(known(), now)) {
            return;
        }
        if (current.isEmpty()) {
            gather(now);
            return;
        }
        if (!settling && (current.get().broken() || tick && isolated(now))) {
            settling = true;
            settlingSince = now;
        }
        if (tick) {
            halts.stragglers(current.get(), now);
        }
        if (settling) {
            settle(now, tick);
        } else if (tick && !finished()) {
            placeTheUnaware(now);
            if (current.get().allTrain()) {
                retireLeavers();
                requestPause(now);
            }
        }
    }

    /** Number of the last generation whose members are known; 0 before the first. */
    private long known() {
        return current.map(Ranks::number).orElse(0L);
    }

    /** The highest number that any generation is known to have. */
    private long highest() {
        return Math.max(known(), takeOver.named());
    }

    private void gather(long now) {
        if (stopping && !takeOver.isUnderWay(known(), now)) {
            over = true;
            return;
        }
        retireLeavers();
        List<Seat> ready = seats.candidates(now);
        if (held) {
            orders.await("paused before the first step");
        } else if (ready.size() >= rules.worldSize()) {
            if (decided(now) && enough(ready)) {
                form(ready, now);
            }
        } else {
            orders.await("waiting for trainers: " + ready.size() + " of " + rules.worldSize() + " are here");
        }
    }

    private boolean isolated(long now) {
        return !finished() && silence.isolates(now, Math.max(takeOver.begunAt(), formedAt));
    }

    /** Places are given until they are taken; those that a former coordinator gave are not known, and all begin anew. */
    private void placeTheUnaware(long now) {
        long number = current.get().number();
        for (Seat seat : current.get().present()) {
            if (seat.standing.isEmpty() || seat.generation() >= number) {
                continue;
            }
            if (places.isPresent() && seat.mayBeTold(number, now)) {
                orders.add(places.get().form(seat));
            }
            if (places.isEmpty() && now - formedAt >= UNAWARE_MILLIS) {
                settling = true;
                settlingSince = now;
                cause = seat.node() + " has not heard of generation " + number;
            }
        }
    }

    /** Joiners, leavers, a stop, a pause: all ranks are asked to stop after the step that is under way. */
    private void requestPause(long now) {
        Ranks ranks = current.get();
        List<Seat> candidates = seats.candidates(now);
        long joiners = candidates.stream()
                .filter(seat -> !ranks.addresses().contains(seat.address))
                .count();
        boolean joins = joiners > 0 && ranks.generation.worldSize() < rules.microBatches();
        boolean leaves = ranks.present().stream().anyMatch(Seat::leaving);
        if (!joins) {
            expectation.forget();
        } else if (!leaves && !stopping && !held && !expectation.isMet(ranks, candidates, highest(), now)) {
            return;
        }
        if (joins || leaves || stopping || held) {
            cause = joins ? "trainers join" : leaves ? "trainers leave" : stopping ? "stop" : "pause";
            paused = true;
            ranks.present().forEach(seat -> orders.tell(seat, new Order.Pause(seat.address, ranks.number()), now));
        }
    }

    private void settle(long now, boolean tick) {
        if (current.get().move()) {
            boolean patient = paused && now - settlingSince < PAUSE_MILLIS;
            if (!patient && (tick || now == settlingSince)) {
                halts.all(current.get(), now);
            }
            return;
        }
        if (!decided(now)) {
            return;
        }
        if (stopping) {
            over = tick && departures.safe(current.get().present(), now);
        } else if (held) {
            letGo(now, tick);
        } else {
            formOrLetGo(now, tick);
        }
    }

    /** Whether nobody else can go on with the run, so that this side may. */
    private boolean decided(long now) {
        if (takeOver.isUnderWay(known(), now)) {
            orders.await("waiting for the ranks of generation " + takeOver.inherited()
                    + ", which another coordinator formed");
            return false;
        }
        if (current.isPresent() && current.get().allSilent()) {
            // With one of them it would be over for all, but together they may go on where they are.
            orders.await("waiting: all ranks of generation " + current.get().number()
                    + " are silent, so they may be training;" + " the cluster will find out");
            return false;
        }
        if (!silence.mayDecide(now)) {
            orders.await(
                    "waiting: too few nodes are heard, so the larger part of the cluster may be training elsewhere");
            return false;
        }
        return true;
    }

    /** Those who want to leave need not wait for others to come. */
    private void formOrLetGo(long now, boolean tick) {
        List<Seat> chosen = seats.candidates(now);
        if (enough(chosen)) {
            if (tick || futility.none()) { // Generations that fail at once are not formed as fast as messages travel.
                form(chosen, now);
            }
        } else {
            letGo(now, tick);
        }
    }

    private void letGo(long now, boolean tick) {
        if (tick) {
            departures.letGoSafely(now).forEach(this::hasLeft);
        }
    }

    private void retireLeavers() {
        departures.letGo().forEach(this::hasLeft);
    }

    private void hasLeft(Seat seat) {
        drop(seat, "it has left");
    }

    private boolean enough(List<Seat> candidates) {
        long nodes = candidates.stream()
                .map(seat -> seat.address.processId())
                .distinct()
                .count();
        if (nodes < rules.minNodes()) {
            orders.await("waiting: " + nodes + " trainer " + (nodes == 1 ? "node is" : "nodes are")
                    + " here, cluster.minNodes asks for " + rules.minNodes());
        }
        return nodes >= rules.minNodes();
    }

    private Set<DataAddress> addresses() {
        return current.map(Ranks::addresses).orElse(Set.of());
    }

    private void form(List<Seat> candidates, long now) {
        Optional<RestorePoint> saved = restorePoint.get();
        if (saved.isEmpty()) {
            return; // The caller has ended the run.
        }
        Optional<String> divergence = current.flatMap(ranks -> Choice.divergence(ranks.present()));
        if (divergence.isPresent()) {
            over = true;
            orders.add(new Order.Fail(divergence.get()));
            return;
        }
        Formation formation =
                Formation.of(candidates, seats.stopped(now), saved.get(), addresses(), rules.microBatches());
        futility.formed(formation.firstStep());
        Generation next = expectation
                .of(formation.members(), highest())
                .orElseGet(() -> formation.generation(numbers.next(highest()), rules.microBatches()));
        long fingerprint = next.fingerprint();
        Places given = formation.places(next, fingerprint, current);
        for (Seat seat : formation.members()) {
            seat.heard = now;
            seat.mayBeTold(next.number(), now);
            orders.add(given.form(seat));
        }
        orders.add(new Order.Formed(given.first(), cause, Choice.describe(formation.members())));
        places = Optional.of(given);
        begin(next, fingerprint, now);
        cause = "";
        orders.goOn();
    }
}
