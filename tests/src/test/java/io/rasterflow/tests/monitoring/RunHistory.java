package io.rasterflow.tests.monitoring;

import io.rasterflow.monitoring.audit.Audit;
import io.rasterflow.monitoring.audit.AuditResult;
import io.rasterflow.monitoring.event.Event;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * The journals of a run, written by hand or at random by the rules of membership: whoever commits has the contributions of
 * all micro-batches, and a generation begins after the last step that a living rank has applied.
 */
final class RunHistory {

    static final String COORDINATOR = "main";

    final int globalBatch;
    final int microBatches;
    final List<Event> events = new ArrayList<>();
    /** By step, the generation whose work stands. */
    final Map<Long, Long> owner = new HashMap<>();

    private final boolean formed;
    private List<String> nodes = List.of();
    private long generation;
    private String origin;
    private long time = 1_000;

    /** @param formed whether generations and digests are journalled, which older programs did not */
    RunHistory(int globalBatch, int microBatches, boolean formed) {
        this.globalBatch = globalBatch;
        this.microBatches = microBatches;
        this.formed = formed;
    }

    RunHistory(int globalBatch, int microBatches) {
        this(globalBatch, microBatches, true);
    }

    /** The program starts or is resumed; its first generation says so. Older ones counted generations from 1 each time. */
    RunHistory start(String from) {
        generation = formed ? generation : 0;
        origin = from;
        return this;
    }

    RunHistory start() {
        return start("");
    }

    RunHistory form(long firstStep, String... members) {
        nodes = List.of(members);
        generation++;
        add(new Event.Membership(time, COORDINATOR, "", "generation", generation, members.length, ""));
        if (origin != null) {
            add(new Event.RunStarted(
                    time,
                    members[0],
                    "r",
                    firstStep,
                    1_000,
                    globalBatch,
                    1,
                    1_000,
                    members.length,
                    "fp32",
                    origin,
                    null,
                    null));
            origin = null;
        }
        for (int rank = 0; formed && rank < members.length; rank++) {
            add(formed(rank, firstStep, digest(firstStep - 1)));
        }
        return this;
    }

    Event.Formed formed(int rank, long firstStep, String digest) {
        return new Event.Formed(
                time,
                nodes.get(rank),
                generation,
                rank,
                nodes.size(),
                microBatches,
                first(rank),
                first(rank + 1),
                firstStep,
                digest);
    }

    /** All ranks compute and commit the steps. */
    RunHistory steps(long from, long to) {
        for (long step = from; step < to; step++) {
            for (int rank = 0; rank < nodes.size(); rank++) {
                lease(rank, step);
            }
            for (int rank = 0; rank < nodes.size(); rank++) {
                commit(rank, step);
            }
        }
        return this;
    }

    RunHistory lease(int rank, long step) {
        IntStream.range(first(rank), first(rank + 1)).forEach(m -> lease(rank, step, m));
        return this;
    }

    RunHistory lease(int rank, long step, int microBatch) {
        add(new Event.Lease(
                time,
                nodes.get(rank),
                rank,
                generation,
                step,
                microBatch,
                step * globalBatch + start(microBatch),
                start(microBatch + 1) - start(microBatch)));
        return this;
    }

    RunHistory commit(int rank, long step) {
        return commit(rank, step, digest(step));
    }

    RunHistory commit(int rank, long step, String digest) {
        add(new Event.Commit(time, nodes.get(rank), rank, generation, step, first(rank), first(rank + 1), digest));
        owner.put(step, generation);
        return this;
    }

    RunHistory checkpoint(long step) {
        return add(new Event.Checkpoint(time, nodes.get(0), step, "step-" + step, "", 1, 0.1));
    }

    RunHistory end(long step, String outcome) {
        return add(new Event.RunEnded(time, COORDINATOR, step, outcome, ""));
    }

    RunHistory add(Event event) {
        events.add(event);
        time += 3;
        return this;
    }

    RunHistory without(Predicate<Event> gone) {
        events.removeIf(gone);
        return this;
    }

    RunHistory withoutJournal(String node) {
        return without(event -> event.node().equals(node));
    }

    private int first(int rank) {
        return rank * microBatches / nodes.size();
    }

    private int start(int microBatch) {
        return microBatch * globalBatch / microBatches;
    }

    String digest(long step) {
        return formed && step >= 0 ? Long.toHexString((step + 1) * 0x9E3779B97F4A7C15L) : "";
    }

    boolean stands(Event event) {
        return event instanceof Event.Lease lease && owner.get(lease.step()) == lease.generation();
    }

    long redone() {
        return events.stream()
                .filter(event -> event instanceof Event.Lease && !stands(event))
                .mapToLong(event -> ((Event.Lease) event).images())
                .sum();
    }

    AuditResult audit() {
        Audit audit = new Audit();
        events.forEach(audit::add);
        return audit.result();
    }

    /** A run of {@code steps} steps with deaths, joins and crashes, to its end. */
    static RunHistory random(long seed, int steps) {
        Random random = new Random(seed);
        int microBatches = 1 + random.nextInt(8);
        RunHistory history = new RunHistory(microBatches * (1 + random.nextInt(3)) + random.nextInt(3), microBatches);
        history.start().randomWorld(random, 0);
        long checkpoint = 0;
        for (long step = 0; step < steps; ) {
            int what = random.nextInt(12);
            if (what == 0) {
                step = history.deathWhileComputing(random, step);
            } else if (what == 1) {
                step = history.deathWhileCommitting(random, step);
            } else if (what == 2) {
                history.partly(random, step);
                step = checkpoint;
                history.start().randomWorld(random, step);
            } else if (what == 3) {
                history.checkpoint(step);
                checkpoint = step;
            } else {
                history.steps(step, ++step);
            }
        }
        return history.end(steps, "completed");
    }

    private void randomWorld(Random random, long firstStep) {
        int size = 1 + random.nextInt(Math.min(4, microBatches));
        List<String> all = new ArrayList<>(List.of("trainer-1", "trainer-2", "trainer-3", "trainer-4", "trainer-5"));
        Collections.shuffle(all, random);
        form(firstStep, all.subList(0, size).toArray(String[]::new));
    }

    /** Every rank comes some way with its micro-batches, and at least one of them not to the end. */
    private void partly(Random random, long step) {
        int stuck = random.nextInt(nodes.size());
        for (int rank = 0; rank < nodes.size(); rank++) {
            int count = first(rank + 1) - first(rank);
            int done = rank == stuck ? random.nextInt(count) : random.nextInt(count + 1);
            for (int m = first(rank); m < first(rank) + done; m++) {
                lease(rank, step, m);
            }
        }
    }

    private long deathWhileComputing(Random random, long step) {
        partly(random, step);
        randomWorld(random, step);
        return step;
    }

    /** Some ranks have applied the step; whether one of them lives decides whether it is done again. */
    private long deathWhileCommitting(Random random, long step) {
        IntStream.range(0, nodes.size()).forEach(rank -> lease(rank, step));
        List<String> applied = new ArrayList<>();
        for (int rank = 0; rank < nodes.size(); rank++) {
            if (random.nextBoolean()) {
                commit(rank, step);
                applied.add(nodes.get(rank));
            }
        }
        boolean alive = !applied.isEmpty() && random.nextBoolean();
        long next = alive ? step + 1 : step;
        randomWorld(random, next);
        return next;
    }
}
