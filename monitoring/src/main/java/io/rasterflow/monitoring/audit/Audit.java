package io.rasterflow.monitoring.audit;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Proves from the events of all ranks that every sample position was used exactly once. A step is proved when, in the
 * generation whose work stands ({@link Lineage}), the leases cover its positions once and at least one rank committed it:
 * the all-reduce completes at a rank only with the contributions of all micro-batches in the sum. What a rank's journal
 * does not hold is missing when it goes on after that step, and cannot be proved when it ends before or is not there.
 *
 * <p>Events of one node must come in its order; nodes may be merged in any way. Memory does not grow with the work of a
 * step: 8 bytes for each step and generation (its digest; nothing where there is none), about 100 bytes for each rank of
 * a generation, for each run of steps that went alike and for each quarantined sample, and a window of
 * {@value #OPEN_MICRO_BATCHES} micro-batches. A million steps of 64 ranks that nothing disturbed take about 10 MB.
 * Not thread-safe.
 */
public final class Audit {

    /** Micro-batches of steps that are not settled; older ones become runs, and are taken out again when needed. */
    private static final int OPEN_MICRO_BATCHES = 1 << 18;

    private static final int FEWEST_OPEN_STEPS = 64;
    /** Ranks, micro-batches and leases that wait for the batch size; beyond it a record is garbage. */
    private static final int LARGEST_INDEX = 1 << 20;

    private static final long LARGEST_STEP = Integer.MAX_VALUE;
    private static final int CAUSES = 8;

    private record Key(GenerationRecord generation, long step) {}

    private record Waiting(GenerationRecord generation, Event.Lease lease) {}

    // What was seen, by generation
    private final List<GenerationRecord> generations = new ArrayList<>();
    private final Map<Long, GenerationRecord> current = new HashMap<>();
    private final LinkedHashMap<Key, StepUses> open = new LinkedHashMap<>(16, 0.75f, true);
    private final Quarantine quarantine = new Quarantine();
    private final Deque<String> causes = new ArrayDeque<>();
    private final Set<String> damaged = new TreeSet<>();
    private final Map<String, String> damage = new LinkedHashMap<>();

    // The run
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private int globalBatch;
    private long pendingStart = -1;
    private long originStep;
    private long checkpoint = -1;
    private long reached = -1;
    private Event.RunEnded ended;
    private long garbage;

    /** Takes in one event; those that tell nothing about positions are ignored. */
    public void add(Event event) {
        if (event instanceof Event.Lease lease) {
            onLease(lease);
        } else if (event instanceof Event.Commit commit) {
            onCommit(commit);
        } else if (event instanceof Event.Formed formed) {
            onFormed(formed);
        } else if (event instanceof Event.Step step) {
            onStep(step);
        } else if (event instanceof Event.RunStarted started) {
            onRunStarted(started);
        } else if (event instanceof Event.Membership membership) {
            onMembership(membership);
        } else if (event instanceof Event.Checkpoint written) {
            checkpoint = Math.max(checkpoint, written.step());
        } else if (event instanceof Event.BadSample bad) {
            quarantine.add(bad);
        } else if (event instanceof Event.RunEnded end) {
            ended = end;
        }
    }

    /**
     * The journal of a node cannot be read wholly: what it does not tell is no proof of anything.
     *
     * @param node its name, or that of its folder
     */
    public void damaged(String node, String what) {
        damaged.add(Journal.SET_ASIDE.matcher(Journal.folderName(node)).replaceAll(""));
        damage.putIfAbsent(node, what);
    }

    /** The run got as far as that many steps, whatever journals tell: there is a checkpoint of it. */
    public void reached(long step) {
        reached = Math.max(reached, step);
    }

    private void onLease(Event.Lease lease) {
        if (isGarbage(lease.rank(), lease.step(), lease.microBatch()) || lease.images() < 0) {
            return;
        }
        GenerationRecord generation = generation(lease.generation());
        generation.seen(lease.rank(), lease.node(), lease.step());
        if (globalBatch == 0) {
            deriveGlobalBatch(lease);
        }
        if (globalBatch > 0) {
            use(generation, lease);
        } else if (waiting.size() < LARGEST_INDEX) {
            waiting.add(new Waiting(generation, lease));
        } else {
            garbage++;
        }
    }

    /** The same micro-batch of two steps tells it, when nobody else does. */
    private void deriveGlobalBatch(Event.Lease lease) {
        for (Waiting earlier : waiting) {
            long steps = lease.step() - earlier.lease().step();
            long positions = lease.firstPosition() - earlier.lease().firstPosition();
            if (earlier.lease().microBatch() == lease.microBatch() && steps != 0 && positions % steps == 0) {
                globalBatch(positions / steps);
                return;
            }
        }
    }

    private void globalBatch(long images) {
        if (globalBatch == 0 && images > 0 && images <= Integer.MAX_VALUE) {
            globalBatch = (int) images;
            waiting.forEach(earlier -> use(earlier.generation(), earlier.lease()));
            waiting.clear();
        }
    }

    private void use(GenerationRecord generation, Event.Lease lease) {
        long offset = lease.firstPosition() - lease.step() * globalBatch;
        uses(generation, lease.step())
                .lease(lease.microBatch(), offset, lease.images(), generation.microBatches(), globalBatch);
    }

    private void onCommit(Event.Commit commit) {
        if (isGarbage(commit.rank(), commit.step(), commit.toMicroBatch())) {
            return;
        }
        GenerationRecord generation = generation(commit.generation());
        generation.seen(commit.rank(), commit.node(), commit.step());
        generation.commit(commit.rank(), commit.node(), commit.fromMicroBatch(), commit.toMicroBatch());
        StepUses uses = uses(generation, commit.step());
        uses.commit(commit.rank());
        if (!generation.digests().agree(commit.step(), StepDigests.shorten(commit.digest()))) {
            uses.diverge();
        }
    }

    private void onFormed(Event.Formed formed) {
        if (isGarbage(formed.rank(), formed.firstStep(), formed.endMicroBatch())
                || formed.microBatches() > LARGEST_INDEX
                || formed.worldSize() > LARGEST_INDEX) {
            return;
        }
        GenerationRecord generation = current.get(formed.generation());
        if (generation == null || (generation.committed() && !generation.formed())) {
            generation = create(formed.generation());
        }
        if (!generation.formed()) {
            begin(formed.firstStep());
        }
        generation.form(formed);
        pendingStart = -1;
    }

    private void onStep(Event.Step step) {
        globalBatch(step.images());
        if (!isGarbage(step.rank(), step.step(), step.worldSize())) {
            generation(step.generation()).worldSize(step.worldSize());
        }
    }

    private void onRunStarted(Event.RunStarted started) {
        globalBatch(started.globalBatch());
        if (!started.origin().isEmpty()) {
            originStep = started.firstStep();
        }
        begin(started.firstStep());
        GenerationRecord newest = generations.isEmpty() ? null : generations.get(generations.size() - 1);
        if (newest == null || (newest.started() && newest.committed() && !newest.formed())) {
            newest = newest == null ? null : create(newest.number());
            pendingStart = started.firstStep();
        }
        if (newest != null && !newest.formed()) {
            newest.start(started.firstStep());
            pendingStart = -1;
        }
    }

    /** What was beyond that step is done again. */
    private void begin(long firstStep) {
        checkpoint = Math.min(checkpoint, firstStep);
        ended = null;
    }

    private void onMembership(Event.Membership change) {
        String why = change.detail() == null ? "" : change.detail();
        if (!change.change().equals("generation")) {
            causes.addLast(change.member() + " is " + change.change() + (why.isBlank() ? "" : ": " + why));
            if (causes.size() > CAUSES) {
                causes.removeFirst();
            }
            return;
        }
        GenerationRecord generation = current.get(change.generation());
        if (generation == null || (generation.announced() && generation.hasRecords() && !generation.formed())) {
            generation = create(change.generation());
        }
        if (causes.isEmpty() && !why.startsWith("ranks ")) {
            causes.add(why);
        }
        generation.announce(Math.min(change.worldSize(), LARGEST_INDEX), String.join("; ", causes));
        causes.clear();
    }

    private boolean isGarbage(int rank, long step, int microBatch) {
        boolean sound = rank >= 0
                && rank < LARGEST_INDEX
                && step >= 0
                && step < LARGEST_STEP
                && microBatch >= 0
                && microBatch < LARGEST_INDEX;
        garbage += sound ? 0 : 1;
        return !sound;
    }

    private GenerationRecord generation(long number) {
        GenerationRecord generation = current.get(number);
        if (generation == null) {
            generation = create(number);
            if (pendingStart >= 0) {
                generation.start(pendingStart);
                pendingStart = -1;
            }
        }
        return generation;
    }

    private GenerationRecord create(long number) {
        GenerationRecord earlier = current.get(number);
        GenerationRecord generation = new GenerationRecord(number, earlier == null ? 0 : earlier.attempt() + 1);
        current.put(number, generation);
        generations.add(generation);
        return generation;
    }

    private StepUses uses(GenerationRecord generation, long step) {
        Key key = new Key(generation, step);
        StepUses uses = open.get(key);
        if (uses == null) {
            StepUses settled = generation.steps().take(step);
            uses = settled == null ? new StepUses() : settled;
            open.put(key, uses);
            int capacity = Math.max(FEWEST_OPEN_STEPS, OPEN_MICRO_BATCHES / Math.max(1, generation.microBatches()));
            while (open.size() > capacity) {
                settle(open.entrySet().iterator().next().getKey());
            }
        }
        return uses;
    }

    private void settle(Key key) {
        key.generation().steps().put(key.step(), open.remove(key));
    }

    /** What the events so far prove; more may be added after. */
    public AuditResult result() {
        List.copyOf(open.keySet()).stream()
                .sorted(Comparator.comparingLong(Key::step))
                .forEach(this::settle);
        List<GenerationRecord> known = generations.stream()
                .sorted(Comparator.comparingLong(GenerationRecord::number).thenComparing(GenerationRecord::attempt))
                .toList();
        Judge judge = new Judge(known, globalBatch, damaged);
        long evidence = Math.max(Math.max(reached, checkpoint), ended == null ? 0 : ended.step());
        judge.judge(originStep, evidence);
        List<String> notes = new ArrayList<>();
        damage.forEach((node, what) -> notes.add("the journal " + node + " is damaged: " + what));
        if (garbage > 0) {
            notes.add(garbage + " records make no sense and were left out");
        }
        return judge.result(
                quarantine.count(),
                quarantine.first(),
                Math.max(checkpoint, reached),
                ended == null ? "" : ended.outcome(),
                notes);
    }
}
