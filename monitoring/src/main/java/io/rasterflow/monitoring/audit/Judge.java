package io.rasterflow.monitoring.audit;

import io.rasterflow.monitoring.audit.Finding.Kind;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Judges the steps of a run, a run of equal steps at a time. */
final class Judge {

    private static final int LISTED = 1_000;
    private static final int RANKS_NAMED = 8;

    private final List<GenerationRecord> known;
    private final List<Lineage.Owned> lineage;
    private final int globalBatch;
    private final Set<String> damaged;
    private final Map<GenerationRecord, Integer> order = new IdentityHashMap<>();
    private final Map<GenerationRecord, Lineage.Owned> standing = new IdentityHashMap<>();
    /** By node, the newest generation in which it journalled: its journal did not end before. */
    private final Map<String, Integer> newestOfNode = new HashMap<>();

    private final List<Finding> findings = new ArrayList<>();
    private final long[] positions = new long[Kind.values().length];
    private long startStep;
    private long endStep;

    /** @param known generations from the oldest to the newest */
    Judge(List<GenerationRecord> known, int globalBatch, Set<String> damaged) {
        this.known = known;
        this.globalBatch = globalBatch;
        this.damaged = damaged;
        this.lineage = Lineage.of(known.stream()
                .filter(generation -> generation.firstStep() != Long.MAX_VALUE)
                .toList());
        lineage.forEach(owned -> standing.put(owned.generation(), owned));
        for (int i = 0; i < known.size(); i++) {
            order.put(known.get(i), i);
            for (GenerationRecord.Rank rank : known.get(i).ranks().values()) {
                newestOfNode.put(rank.node(), i);
            }
        }
    }

    /**
     * @param origin step at which the run itself began
     * @param evidence number of steps that were certainly committed
     */
    void judge(long origin, long evidence) {
        long first = lineage.isEmpty() ? 0 : lineage.get(0).from();
        startStep = Math.min(origin, first);
        endStep = Math.max(startStep, evidence);
        for (Lineage.Owned owned : lineage) {
            endStep = Math.max(endStep, owned.generation().steps().committedEnd(owned.from(), owned.to()));
        }
        long before = lineage.isEmpty() ? endStep : Math.min(first, endStep);
        if (before > startStep) {
            find(Kind.UNPROVABLE, -1, startStep, before, globalBatch, "no journal tells of them");
        }
        for (Lineage.Owned owned : lineage) {
            GenerationRecord generation = owned.generation();
            if (generation.disagreed()) {
                find(
                        Kind.DIVERGED,
                        generation.number(),
                        owned.from(),
                        owned.from() + 1,
                        1,
                        "its ranks began at different steps or with different histories");
            }
            for (StepRuns.Run run : generation.steps().between(owned.from(), Math.min(owned.to(), endStep))) {
                judge(generation, run);
            }
            if (owned.broken()) {
                find(
                        Kind.DIVERGED,
                        generation.number(),
                        owned.to() - 1,
                        owned.to(),
                        1,
                        "the next generation stands on another history than was committed");
            }
        }
    }

    /** Splits a run where a rank's journal ends: what it vouches for is the same within the parts. */
    private void judge(GenerationRecord generation, StepRuns.Run run) {
        long from = run.from();
        while (from < run.to()) {
            long at = from;
            long to = generation.ranks().values().stream()
                    .mapToLong(GenerationRecord.Rank::lastStep)
                    .filter(last -> last > at)
                    .min()
                    .orElse(Long.MAX_VALUE);
            judge(generation, from, Math.min(to, run.to()), run.uses());
            from = Math.min(to, run.to());
        }
    }

    private void judge(GenerationRecord generation, long from, long to, StepUses uses) {
        long number = generation.number();
        if (uses.diverged()) {
            find(Kind.DIVERGED, number, from, to, 1, "ranks committed different sums");
        }
        Coverage coverage = Coverage.of(uses, globalBatch);
        if (coverage.duplicated() > 0) {
            find(Kind.DUPLICATED, number, from, to, coverage.duplicated(), duplicates(uses));
        }
        List<Integer> silent = IntStream.range(0, generation.worldSize())
                .filter(rank -> !vouches(generation, rank, from, uses))
                .boxed()
                .toList();
        if (!uses.committed()) {
            absent(generation, from, to, silent, uses.spans().isEmpty() ? "no record" : "no commit");
            return;
        }
        long missing = 0;
        long unprovable = 0;
        for (int[] gap : coverage.gaps()) {
            for (int position = gap[0]; position < gap[1]; ) {
                int microBatch = microBatchOf(generation, position);
                boolean planned = generation.microBatchesKnown();
                int end = planned ? Math.min(gap[1], Math.max(position + 1, endOf(generation, microBatch))) : gap[1];
                int owner = planned ? generation.owner(microBatch) : -1;
                boolean told = silent.isEmpty() || (owner >= 0 && !silent.contains(owner));
                missing += told ? end - position : 0;
                unprovable += told ? 0 : end - position;
                position = end;
            }
        }
        if (missing > 0) {
            find(Kind.MISSING, number, from, to, missing, "no lease of " + unleased(generation, uses));
        }
        if (unprovable > 0) {
            find(
                    Kind.UNPROVABLE,
                    number,
                    from,
                    to,
                    unprovable,
                    "no lease of " + unleased(generation, uses) + "; " + why(generation, silent));
        }
    }

    /** Nobody who is left says that the steps were committed. */
    private void absent(GenerationRecord generation, long from, long to, List<Integer> silent, String what) {
        List<Long> lost = lostAfter(generation);
        if (silent.isEmpty() && lost.isEmpty()) {
            find(Kind.MISSING, generation.number(), from, to, globalBatch, what + " by any rank");
            return;
        }
        String why = silent.isEmpty() ? "generation " + lost.get(0) + " left no journal" : why(generation, silent);
        find(Kind.UNPROVABLE, generation.number(), from, to, globalBatch, what + " by the ranks that are left; " + why);
    }

    /**
     * Numbers of generations between this one and its successor of which no rank tells. Numbers may be left out; one that
     * was is suspected only where the coordinator's journal does not tell of the successor either.
     */
    private List<Long> lostAfter(GenerationRecord generation) {
        List<Long> lost = new ArrayList<>();
        long number = generation.number();
        for (GenerationRecord next : known.subList(order.get(generation) + 1, known.size())) {
            if (next.number() > number + 1 && !next.announced()) {
                lost.add(number + 1);
            }
            if (next.hasRecords()) {
                break;
            }
            lost.add(next.number());
            number = next.number();
        }
        return lost;
    }

    /** What a reader should know beside the findings. */
    private List<String> notes() {
        return known.stream()
                .filter(GenerationRecord::hasRecords)
                .flatMap(generation -> lostAfter(generation).stream())
                .limit(LISTED)
                .map(number -> "no rank's journal tells of generation " + number)
                .toList();
    }

    /** Whether a rank's journal certainly goes on after what it has to say about the step. */
    private boolean vouches(GenerationRecord generation, int rank, long step, StepUses uses) {
        GenerationRecord.Rank seen = generation.ranks().get(rank);
        if (seen == null || damaged.contains(Journal.folderName(seen.node()))) {
            return false;
        }
        return uses.committedBy(rank)
                || seen.lastStep() > step
                || newestOfNode.get(seen.node()) > order.get(generation);
    }

    /** The first that holds {@code position}, by the plan of a step: micro-batch m begins at m·G/M. */
    private int microBatchOf(GenerationRecord generation, int position) {
        long microBatches = Math.max(1, generation.microBatches());
        int guess = (int) (position * microBatches / globalBatch);
        return guess + 1 < microBatches && endOf(generation, guess) <= position ? guess + 1 : guess;
    }

    private int endOf(GenerationRecord generation, int microBatch) {
        return (int) ((microBatch + 1L) * globalBatch / Math.max(1, generation.microBatches()));
    }

    private static String unleased(GenerationRecord generation, StepUses uses) {
        return ranges(IntStream.range(0, generation.microBatches())
                .filter(m -> !uses.leased(m))
                .toArray());
    }

    private static String duplicates(StepUses uses) {
        return ranges(uses.odd().stream()
                        .mapToInt(StepUses.Odd::microBatch)
                        .distinct()
                        .sorted()
                        .toArray())
                + " leased more than once or beside the plan";
    }

    private static String ranges(int[] microBatches) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < microBatches.length; ) {
            int end = i;
            while (end + 1 < microBatches.length && microBatches[end + 1] == microBatches[end] + 1) {
                end++;
            }
            text.append(text.isEmpty() ? "" : ", ").append(microBatches[i]);
            text.append(end > i ? "-" + microBatches[end] : "");
            i = end + 1;
        }
        return text.isEmpty() ? "some positions" : "micro-batch" + (microBatches.length > 1 ? "es " : " ") + text;
    }

    private String why(GenerationRecord generation, List<Integer> silent) {
        String named = silent.stream()
                .limit(RANKS_NAMED)
                .map(rank -> whySilent(rank, generation.ranks().get(rank)))
                .collect(Collectors.joining(", "));
        return silent.size() > RANKS_NAMED ? named + " and " + (silent.size() - RANKS_NAMED) + " more" : named;
    }

    private String whySilent(int rank, GenerationRecord.Rank seen) {
        if (seen == null) {
            return "rank " + rank + " left no journal";
        }
        String whose = "the journal of rank " + rank + " (" + seen.node() + ") ";
        if (damaged.contains(Journal.folderName(seen.node()))) {
            return whose + "is damaged";
        }
        return whose + (seen.lastStep() < 0 ? "ends before its first step" : "ends at step " + seen.lastStep());
    }

    private void find(Kind kind, long generation, long from, long to, long perStep, String detail) {
        long concerned = perStep * (to - from);
        positions[kind.ordinal()] += concerned;
        if (!findings.isEmpty()) {
            Finding last = findings.get(findings.size() - 1);
            if (last.kind() == kind
                    && last.generation() == generation
                    && last.endStep() == from
                    && last.detail().equals(detail)) {
                findings.set(
                        findings.size() - 1,
                        new Finding(kind, generation, last.firstStep(), to, last.positions() + concerned, detail));
                return;
            }
        }
        if (findings.size() < LISTED) {
            findings.add(new Finding(kind, generation, from, to, concerned, detail));
        }
    }

    AuditResult result(
            long quarantined, List<Event.BadSample> samples, long checkpoint, String outcome, List<String> notes) {
        List<AuditResult.Generation> generations = new ArrayList<>();
        List<String> all = new ArrayList<>(notes);
        all.addAll(notes());
        long redone = 0;
        long unfinished = 0;
        GenerationRecord newest =
                lineage.isEmpty() ? null : lineage.get(lineage.size() - 1).generation();
        for (GenerationRecord generation : known) {
            long from = generation.firstStep() == Long.MAX_VALUE ? 0 : generation.firstStep();
            Lineage.Owned owned = standing.get(generation);
            long to = owned == null ? from : Math.min(owned.to(), endStep);
            for (StepRuns.Run run : generation.steps().all()) {
                long inside = Math.max(0, Math.min(to, run.to()) - Math.max(from, run.from()));
                long images = (run.to() - run.from() - inside) * run.uses().computed();
                redone += generation == newest ? 0 : images;
                unfinished += generation == newest ? images : 0;
            }
            generations.add(describe(generation, from, Math.max(from, to)));
        }
        return new AuditResult(
                startStep,
                endStep,
                (endStep - startStep) * globalBatch,
                positions[Kind.MISSING.ordinal()],
                positions[Kind.DUPLICATED.ordinal()],
                positions[Kind.UNPROVABLE.ordinal()],
                positions[Kind.DIVERGED.ordinal()],
                redone,
                unfinished,
                quarantined,
                samples,
                generations,
                findings,
                checkpoint,
                outcome,
                all);
    }

    private static AuditResult.Generation describe(GenerationRecord generation, long from, long to) {
        List<String> nodes = IntStream.range(0, generation.worldSize())
                .mapToObj(generation.ranks()::get)
                .map(rank -> rank == null ? "?" : rank.node())
                .toList();
        return new AuditResult.Generation(generation.number(), from, to, nodes, generation.cause());
    }
}
