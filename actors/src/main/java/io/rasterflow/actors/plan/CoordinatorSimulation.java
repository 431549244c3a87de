package io.rasterflow.actors.plan;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.exchange.Liveness;
import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.GenerationNumbers;
import io.rasterflow.actors.membership.Member;
import io.rasterflow.actors.membership.Membership;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.actors.membership.Origin;
import io.rasterflow.actors.membership.Pace;
import io.rasterflow.actors.membership.Placement;
import io.rasterflow.actors.membership.RestorePoint;
import io.rasterflow.actors.membership.Roster;
import io.rasterflow.actors.membership.Rules;
import io.rasterflow.actors.membership.Standing;
import io.rasterflow.actors.plan.StepSimulation.Form;
import io.rasterflow.streams.order.CounterRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The coordinator while a host is lost and comes back. Its decisions and the trainers' are the real ones, {@link Membership}
 * and {@link Member}; simulated are the time that messages take and that the coordinator handles one after another.
 *
 * <pre>
 *   0 s      all train, each announces itself twice a second
 *   2 s      the last host is lost; survivors stop, say so and what they found
 *            ... Form, connect, all that are left train: reformSeconds
 *   + 1.5 s  the host is back and announces itself
 *            ... Expect, connect; then Pause, Form, all train: joinSeconds
 * </pre>
 */
final class CoordinatorSimulation {

    private static final double LOSS = 2;
    private static final double BACK_AFTER = 1.5;
    private static final double GIVE_UP = 30;
    private static final double TICK = Pace.TICK_MILLIS / 1000.0;
    private static final double WINDOW = 0.1;
    private static final int STEP = 1000;
    private static final RestorePoint SEED = new RestorePoint("", 0, "seed");

    private final Cluster cluster;
    private final Reliability.Repair repair;
    private final boolean ring;
    private final long seed;
    private final EventQueue queue = new EventQueue();
    private final Lane coordinator = new Lane();
    private final ControlBytes bytes;
    private final Membership membership;
    private final Map<DataAddress, Member> trainers = new LinkedHashMap<>();
    private final Map<Long, Generation> generations = new HashMap<>();
    private final Set<Long> expected = new HashSet<>();
    private final Map<Long, Integer> prepared = new HashMap<>();
    private final Map<Long, Integer> begun = new HashMap<>();
    private final Map<Long, Integer> windows = new HashMap<>();

    // Measured
    private double steadyMessages;
    private double steadyBytes;
    private double steadySeconds;
    private long messages;
    private double returnedAt = Double.POSITIVE_INFINITY;
    private double stoppedAt = Double.POSITIVE_INFINITY;
    private double reformSeconds = Double.POSITIVE_INFINITY;
    private double joinSeconds = Double.POSITIVE_INFINITY;
    private long reformMessages;

    private CoordinatorSimulation(Cluster cluster, Reliability.Repair repair, Form form, long seed) {
        this.cluster = cluster;
        this.repair = repair;
        this.bytes = new ControlBytes(repair.messageBytes());
        this.ring = form == Form.RING;
        this.seed = seed;
        Rules rules = new Rules(cluster.ranks(), 1, cluster.ranks(), Long.MAX_VALUE, millis(GIVE_UP));
        this.membership = new Membership(rules, (heard, gone) -> true, () -> Optional.of(SEED), new Numbers());
    }

    /** Where there is one host only, nobody is left to re-form. */
    static CoordinatorLoad run(Cluster cluster, Reliability.Repair repair, Form form, long seed) {
        CoordinatorSimulation simulation = new CoordinatorSimulation(cluster, repair, form, seed);
        simulation.begin();
        simulation.queue.run();
        int peak = simulation.windows.values().stream()
                .mapToInt(Integer::intValue)
                .max()
                .orElse(0);
        boolean one = cluster.hosts() == 1;
        return new CoordinatorLoad(
                simulation.steadyMessages,
                simulation.steadyBytes,
                simulation.steadySeconds,
                one ? 0 : simulation.reformSeconds,
                one ? 0 : simulation.joinSeconds,
                simulation.reformMessages,
                peak / WINDOW);
    }

    private static long millis(double seconds) {
        return (long) (seconds * 1000);
    }

    // ---- The world

    private void begin() {
        List<DataAddress> members = new ArrayList<>();
        for (int rank = 0; rank < cluster.ranks(); rank++) {
            members.add(address(rank, 0));
        }
        Generation first = new Generation(1, members, cluster.ranks());
        Origin origin = new Origin(Origin.Kind.SEED, "", Optional.empty());
        long fingerprint = first.fingerprint();
        for (int rank = 0; rank < cluster.ranks(); rank++) {
            Member member = new Member(members.get(rank), node(rank));
            member.prepare(new Assignment(first, rank, STEP, "0123456789abcdef", origin, 0), fingerprint);
            member.restored();
            member.begin();
            trainers.put(members.get(rank), member);
            double phase = CounterRandom.of(seed, 0, rank).uniform(0);
            DataAddress address = members.get(rank);
            queue.at(phase * repair.announceSeconds(), () -> announceAlways(address, member));
        }
        queue.at(TICK, this::tick);
        if (cluster.hosts() == 1) {
            queue.at(LOSS, queue::stop);
            return;
        }
        queue.at(LOSS, this::lose);
        queue.at(GIVE_UP, queue::stop);
    }

    private String node(int rank) {
        return String.format("node-%05d", cluster.host(rank));
    }

    private DataAddress address(int rank, int life) {
        int host = cluster.host(rank);
        String process = String.format("%08x-0000-4000-8000-%012x", life, host);
        return new DataAddress(process, "10.0." + host / 256 + "." + host % 256, 25520, rank % cluster.local());
    }

    private void tick() {
        carryOut(membership.tick(millis(queue.now())));
        queue.at(queue.now() + TICK, this::tick);
    }

    private void lose() {
        messages = 0;
        int survivors = cluster.ranks() - cluster.local();
        for (int rank = survivors; rank < cluster.ranks(); rank++) {
            trainers.remove(address(rank, 0));
        }
        int index = 0;
        for (Member member : trainers.values()) {
            DataAddress suspect = address(survivors + index % cluster.local(), 0);
            double noticed = CounterRandom.of(seed, 1, index++).uniform(0) * repair.noticeSeconds();
            queue.at(queue.now() + noticed, () -> stop(member));
            // A connection that is refused is a round trip.
            double found = queue.now() + noticed + 2 * latency();
            queue.at(
                    found,
                    () -> toCoordinator(
                            bytes.envelope(), () -> membership.found(suspect, Liveness.GONE, millis(queue.now()))));
        }
    }

    private void comeBack() {
        returnedAt = queue.now();
        for (int rank = cluster.ranks() - cluster.local(); rank < cluster.ranks(); rank++) {
            DataAddress address = address(rank, 1);
            Member member = new Member(address, node(rank));
            trainers.put(address, member);
            announceAlways(address, member);
        }
    }

    // ---- Messages

    private double latency() {
        return cluster.link().latencySeconds();
    }

    private void announceAlways(DataAddress address, Member member) {
        if (trainers.containsKey(address)) {
            announce(member);
            queue.at(queue.now() + repair.announceSeconds(), () -> announceAlways(address, member));
        }
    }

    private void announce(Member member) {
        Standing standing = member.standing();
        toCoordinator(bytes.of(standing), () -> membership.heard(standing, millis(queue.now())));
    }

    private interface Handler {
        List<Order> orders();
    }

    private void toCoordinator(int length, Handler handler) {
        queue.at(queue.now() + latency(), () -> handle(length, () -> carryOut(handler.orders())));
    }

    /** The coordinator receives or sends a message when it is done with those before. */
    private void handle(int length, Runnable then) {
        double seconds = 1 / repair.messagesPerSecond() + length / repair.controlBytesPerSecond();
        double end = coordinator.reserve(queue.now(), seconds) + seconds;
        if (queue.now() >= LOSS - 1 && queue.now() < LOSS) {
            steadyMessages++;
            steadyBytes += length;
            steadySeconds += seconds;
        }
        queue.at(end, () -> {
            windows.merge((long) (queue.now() / WINDOW), 1, Integer::sum);
            messages++;
            then.run();
        });
    }

    private void carryOut(List<Order> orders) {
        for (Order order : orders) {
            if (order instanceof Order.ToTrainer toTrainer) {
                handle(bytes.of(toTrainer), () -> queue.at(queue.now() + latency(), () -> deliver(toTrainer)));
            }
        }
    }

    // ---- Trainers

    private void deliver(Order.ToTrainer order) {
        Member member = trainers.get(order.to());
        if (member == null) {
            return;
        }
        if (order instanceof Order.Form form) {
            prepare(member, form.place());
        } else if (order instanceof Order.Expect expect) {
            expect(member, expect.roster().number());
        } else if (order instanceof Order.Describe) {
            Roster roster = member.roster().orElseThrow();
            toCoordinator(bytes.of(roster), () -> membership.described(roster, millis(queue.now())));
        } else if (order instanceof Order.Halt halt && halt.generation() == member.generationNumber()) {
            stop(member);
        } else if (order instanceof Order.Pause pause && pause.generation() == member.generationNumber()) {
            // As if the boundary came at once: the step that is under way is no loss.
            stop(member);
        }
    }

    private void stop(Member member) {
        if (member.halt()) {
            if (queue.now() >= returnedAt) {
                stoppedAt = Math.min(stoppedAt, queue.now());
            }
            announce(member);
        }
    }

    private void expect(Member member, long number) {
        expected.add(number);
        queue.at(queue.now() + connecting(cluster.ranks()), () -> {
            member.connectedAhead(number);
            announce(member);
        });
    }

    private double connecting(int ranks) {
        int peers = ring ? Math.min(2, ranks - 1) : ranks - 1;
        return 2 * latency() + peers * repair.connectSeconds();
    }

    private void prepare(Member member, Placement place) {
        if (!takes(member, place)) {
            return;
        }
        announce(member);
        if (member.needsWeights()) {
            member.restored();
        }
        Generation generation = member.place().generation();
        if (prepared.merge(generation.number(), 1, Integer::sum) == generation.worldSize()) {
            boolean ahead = expected.contains(generation.number());
            double connected = queue.now() + (ahead ? 0 : connecting(generation.worldSize()));
            generation.members().stream()
                    .map(trainers::get)
                    .forEach(ready -> queue.at(connected, () -> train(ready, generation)));
        }
    }

    /** As {@link Member#prepare(Placement)} does, but thousands of members share one list of all. */
    private boolean takes(Member member, Placement place) {
        Roster roster = place.roster();
        Generation known = generations.get(roster.number());
        if (known != null && (roster.base() == 0 || roster.base() == member.generationNumber())) {
            Assignment assignment = new Assignment(
                    known, place.rank(), place.firstStep(), place.digest(), place.origin(), place.takers());
            return member.prepare(assignment, roster.fingerprint());
        }
        boolean taken = member.prepare(place);
        if (taken) {
            generations.put(roster.number(), member.place().generation());
        }
        return taken;
    }

    private void train(Member member, Generation generation) {
        if (member == null || !member.isIn(generation.number())) {
            return;
        }
        member.begin();
        announce(member);
        if (begun.merge(generation.number(), 1, Integer::sum) == generation.worldSize()) {
            allTrain(generation);
        }
    }

    private void allTrain(Generation generation) {
        if (generation.worldSize() < cluster.ranks()) {
            if (Double.isFinite(reformSeconds)) {
                return;
            }
            reformSeconds = queue.now() - LOSS;
            reformMessages = messages;
            queue.at(queue.now() + BACK_AFTER, this::comeBack);
        } else {
            // Nobody stops where all were stopped already when the host came back.
            joinSeconds = queue.now() - (Double.isFinite(stoppedAt) ? stoppedAt : returnedAt);
            queue.stop();
        }
    }

    /** Of a run that has one coordinator. */
    private static final class Numbers implements GenerationNumbers {
        private long last;

        @Override
        public long highest() {
            return 0;
        }

        @Override
        public long next(long known) {
            last = Math.max(last, known) + 1;
            return last;
        }
    }
}
