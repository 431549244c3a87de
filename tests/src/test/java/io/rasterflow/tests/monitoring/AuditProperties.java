package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.audit.Audit;
import io.rasterflow.monitoring.audit.AuditResult;
import io.rasterflow.monitoring.event.Event;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Honest histories with deaths, joins and crashes pass; one lease more or less is always found. */
class AuditProperties {

    private static final int STEPS = 25;

    @Property(tries = 200)
    void honestHistoriesPass(@ForAll long seed) {
        RunHistory history = RunHistory.random(seed, STEPS);
        AuditResult result = history.audit();
        assertTrue(result.passed(), () -> result.verdict() + " " + result.findings());
        assertEquals((long) STEPS * history.globalBatch, result.positions());
        assertEquals(history.redone(), result.redone());
        assertEquals(0, result.unfinished());
        assertEquals(List.of(), result.findings());
    }

    @Property(tries = 40)
    void theVerdictDoesNotDependOnTheClocksOfTheNodes(@ForAll long seed) {
        RunHistory history = RunHistory.random(seed, STEPS);
        AuditResult expected = history.audit();
        List<Long> skews = new Random(seed).longs(10, -500, 500).boxed().toList();
        history.events.sort(Comparator.comparingLong(event ->
                event.timeMillis() + skews.get(Math.floorMod(event.node().hashCode(), skews.size()))));
        Audit audit = new Audit();
        for (Event event : history.events) {
            audit.add(event);
            if (event instanceof Event.Commit) {
                audit.result();
            }
        }
        AuditResult skewed = audit.result();
        assertTrue(skewed.passed(), () -> skewed.verdict() + " " + skewed.findings());
        assertEquals(expected.positions(), skewed.positions());
        assertEquals(expected.redone(), skewed.redone());
    }

    @Property(tries = 200)
    void aLeaseThatIsNotThereIsFound(@ForAll long seed) {
        RunHistory history = RunHistory.random(seed, STEPS);
        Event.Lease gone = anyThatStands(history, seed);
        history.events.remove(gone);
        AuditResult result = history.audit();
        assertFalse(result.passed(), () -> "not noticed: " + gone);
        assertEquals(gone.images(), result.missing() + result.unprovable(), result.findings()::toString);
        assertEquals(0, result.duplicated());
        assertTrue(result.findings().stream()
                .allMatch(finding -> finding.firstStep() == gone.step() && finding.endStep() == gone.step() + 1));
    }

    @Property(tries = 200)
    void aLeaseOfAnotherRankOfTheSameMicroBatchIsFound(@ForAll long seed) {
        RunHistory history = RunHistory.random(seed, STEPS);
        Event.Lease twice = anyThatStands(history, seed);
        int at = new Random(seed).nextInt(history.events.size() + 1);
        history.events.add(
                at,
                new Event.Lease(
                        twice.timeMillis(),
                        "trainer-9",
                        twice.rank() + 1,
                        twice.generation(),
                        twice.step(),
                        twice.microBatch(),
                        twice.firstPosition(),
                        twice.images()));
        AuditResult result = history.audit();
        assertFalse(result.passed(), () -> "not noticed: " + twice);
        assertEquals(twice.images(), result.duplicated(), result.findings()::toString);
        assertEquals(0, result.missing(), result.findings()::toString);
    }

    @Property(tries = 200)
    void whatATornJournalHeldIsNeverCalledMissing(@ForAll long seed) {
        RunHistory history = RunHistory.random(seed, STEPS);
        Random random = new Random(seed);
        String node = "trainer-" + (1 + random.nextInt(5));
        List<Event> own = history.events.stream()
                .filter(event -> event.node().equals(node))
                .toList();
        Set<Event> torn = Set.copyOf(own.subList(random.nextInt(own.size() + 1), own.size()));
        List<Event> left = new ArrayList<>(history.events);
        left.removeIf(torn::contains);
        Set<Long> known = left.stream()
                .filter(event -> event instanceof Event.Formed)
                .map(event -> ((Event.Formed) event).generation())
                .collect(Collectors.toSet());
        // Another generation that committed the step as well came to the same sums, which proves it too.
        boolean needed = torn.stream()
                .filter(event -> history.stands(event) && known.contains(((Event.Lease) event).generation()))
                .anyMatch(event -> generationsThatCommitted(history, ((Event.Lease) event).step()) == 1);

        Audit audit = new Audit();
        left.forEach(audit::add);
        AuditResult result = audit.result();
        assertEquals(0, result.missing(), result.findings()::toString);
        assertEquals(0, result.duplicated(), result.findings()::toString);
        assertEquals(0, result.diverged(), result.findings()::toString);
        assertTrue(!needed || result.unprovable() > 0, () -> "passed without the leases of " + node);
    }

    private static long generationsThatCommitted(RunHistory history, long step) {
        return history.events.stream()
                .filter(event -> event instanceof Event.Commit commit && commit.step() == step)
                .map(event -> ((Event.Commit) event).generation())
                .distinct()
                .count();
    }

    private static Event.Lease anyThatStands(RunHistory history, long seed) {
        List<Event> leases = history.events.stream().filter(history::stands).toList();
        return (Event.Lease) leases.get(new Random(seed).nextInt(leases.size()));
    }
}
