package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.monitoring.monitor.RunState;
import io.rasterflow.monitoring.monitor.RunStatus;
import io.rasterflow.monitoring.monitor.RunStatus.NodeStatus;
import io.rasterflow.monitoring.monitor.RunSummary;
import io.rasterflow.monitoring.monitor.RunUpdate;
import io.rasterflow.monitoring.monitor.RunUpdate.Cursor;
import io.rasterflow.monitoring.monitor.RunUpdate.Tail;
import io.rasterflow.monitoring.monitor.SlowRank;
import io.rasterflow.monitoring.science.Prediction;
import io.rasterflow.monitoring.top.Frame;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunStateTest {

    private static RunState folded(List<Event> events) {
        RunState state = new RunState();
        events.forEach(state::apply);
        return state;
    }

    private static double meanLoss(long from, long to) {
        return LongStream.rangeClosed(from, to)
                .mapToDouble(step -> SampleRun.step(0, step).loss())
                .average()
                .orElseThrow();
    }

    @Test
    void nothingIsKnownBeforeTheFirstEvent() {
        RunStatus status = new RunState().status();
        assertEquals("waiting", status.state());
        assertTrue(Double.isNaN(status.loss()) && Double.isNaN(status.imagesPerSecond()));
        assertTrue(Double.isNaN(new RunState().summary().probe()));
        assertTrue(Double.isNaN(new RunState().summary().shares().compute()));
    }

    @Test
    void foldsARunIntoItsStatus() {
        List<Event> events = new ArrayList<>(SampleRun.until(1_000));
        events.add(SampleRun.badSample(990, 1));
        events.add(SampleRun.images(1_000));
        RunStatus status = folded(events).status();
        assertEquals("training", status.state());
        assertFalse(status.ended());
        assertEquals(1_000, status.step());
        assertEquals(1_600, status.steps());
        assertEquals(SampleRun.step(0, 1_000).loss(), status.loss());
        assertEquals(SampleRun.step(0, 1_000).learningRate(), status.learningRate());
        assertEquals(SampleRun.validationLoss(0), status.validationLossFirst());
        assertEquals(SampleRun.validationLoss(1_000), status.validationLossLast());
        assertEquals(6, status.probes().size());
        assertEquals(6, status.correlation().points());
        assertTrue(status.correlation().pearson() < -0.9);
        assertEquals(1_280, status.imagesPerSecond(), 1);
        assertEquals(1_280, status.imagesPerSecondAverage(), 1);
        assertEquals(120, status.secondsLeft(), 0.5);
        assertEquals(1_000, status.stepsDone());
        assertEquals(256_000, status.imagesDone(), "images of the other rank's events must not count again");
        assertEquals(5, status.checkpoints());
        assertEquals(1_000, status.imagesStep());
        assertEquals(1, status.badSamples());
        assertEquals(1, status.generation());
        assertEquals(2, status.worldSize());
    }

    @Test
    void keepsALedgerForEveryRankAndANodeForEveryName() {
        RunStatus status = folded(SampleRun.until(100)).status();
        assertEquals(2, status.ranks().size());
        assertEquals(100, status.ranks().get(1).steps());
        assertEquals("trainer-1", status.ranks().get(1).node());
        assertEquals(0.8, status.ranks().get(1).total().decode(), 1e-9);
        assertEquals(0.008, status.ranks().get(1).recent().decode(), 1e-9);
        assertEquals(100 * 0.2, status.ranks().get(0).total().total(), 1e-6);
        Map<String, NodeStatus> nodes = new HashMap<>();
        status.nodes().forEach(node -> nodes.put(node.node(), node));
        assertEquals(java.util.Set.of("coordinator", "trainer-0", "trainer-1", "probe-0"), nodes.keySet());
        assertEquals(1, nodes.get("trainer-1").rank());
        assertEquals("trainer", nodes.get("trainer-1").roles());
        assertEquals("probe", nodes.get("probe-0").roles());
        assertEquals(640, nodes.get("trainer-1").imagesPerSecond(), 1);
        assertEquals(100, nodes.get("trainer-0").step());
    }

    @Test
    void sumsUpWhatTheRunCameTo() {
        List<Event> events = new ArrayList<>(SampleRun.until(SampleRun.STEPS));
        events.add(SampleRun.ended());
        RunSummary summary = folded(events).summary();
        assertEquals("completed", summary.outcome());
        assertEquals(1_600, summary.steps());
        assertEquals(meanLoss(1, 10), summary.trainLossFirst(), 1e-12);
        assertEquals(meanLoss(1_551, 1_600), summary.trainLossLast(), 1e-12);
        assertEquals(SampleRun.probe(0).accuracy(), summary.probeUntrained());
        assertEquals(SampleRun.probe(1_600).accuracy(), summary.probe());
        assertEquals(9, summary.probes().size());
        assertEquals(9, summary.correlationPoints());
        assertTrue(summary.correlation() < -0.9);
        Ledger shares = summary.shares();
        assertEquals(1, shares.total(), 1e-9);
        assertEquals(0.75, shares.compute(), 0.01);
    }

    @Test
    void aShortRunUsesTheStepsThatItHas() {
        RunSummary summary = folded(SampleRun.until(4)).summary();
        assertEquals(meanLoss(1, 4), summary.trainLossFirst(), 1e-12);
        assertEquals(meanLoss(1, 4), summary.trainLossLast(), 1e-12);
        assertTrue(Double.isNaN(summary.probe()), "the untrained probe is not a trained one");
        assertTrue(Double.isNaN(summary.correlation()));
        assertEquals(1, summary.correlationPoints());
    }

    @Test
    void aResumedRunOverwritesWhatCameAfterItsCheckpoint() {
        RunState state = folded(SampleRun.until(500));
        state.apply(SampleRun.started(400));
        RunStatus resumed = state.status();
        assertEquals("training", resumed.state());
        assertEquals(400, resumed.step());
        for (long step = 401; step <= 500; step++) {
            state.apply(SampleRun.step(0, step, SampleRun.at(step) + 60_000));
        }
        Map<Long, Double> loss = curve(state.since(Cursor.START).curves().get("loss"));
        assertEquals(
                500, loss.keySet().stream().mapToLong(Long::longValue).max().orElseThrow());
        assertEquals(meanLoss(451, 500), state.summary().trainLossLast(), 1e-12);
        assertEquals(meanLoss(1, 10), state.summary().trainLossFirst(), 1e-12);
        assertEquals(220, state.status().secondsLeft(), 1, "the pause before the resume must not count");
    }

    @Test
    void aStepDoneAgainAfterALossReplacesItself() {
        RunState state = folded(SampleRun.until(20));
        state.apply(new Event.Membership(SampleRun.at(20), "coordinator", "trainer-1", "down", 1, 2, "lost"));
        state.apply(new Event.Membership(SampleRun.at(20), "coordinator", "", "generation", 2, 1, ""));
        state.apply(SampleRun.step(0, 20, SampleRun.at(21)));
        RunStatus status = state.status();
        assertEquals(20, status.step());
        assertEquals(2, status.generation(), "a late event of generation 1 must not turn the world back");
        assertEquals(1, status.worldSize());
        assertFalse(status.ranks().get(1).active());
        assertEquals(meanLoss(1, 20), state.summary().trainLossLast(), 1e-12);
        NodeStatus lost = node(state, "trainer-1");
        assertEquals("down", lost.state());
        assertEquals(-1, lost.rank());
    }

    @Test
    void aCoordinatorThatMovesIsLostWhereItWas() {
        RunState state = folded(SampleRun.until(20));
        state.apply(SampleRun.usage("main", 20, 0.5));
        state.apply(new Event.Membership(SampleRun.at(20), "main", "trainer-0", "up", 1, 2, ""));
        assertEquals("up", node(state, "main").state());
        state.apply(new Event.Membership(SampleRun.at(21), "trainer-0", "", "generation", 2, 2, ""));
        assertEquals("down", node(state, "main").state());
        assertEquals("up", node(state, "trainer-0").state());
        assertEquals(List.of(), state.status().usages());
        state.apply(new Event.Membership(SampleRun.at(22), "trainer-0", "main", "up", 2, 2, ""));
        assertEquals("up", node(state, "main").state());
    }

    private static NodeStatus node(RunState state, String name) {
        return state.status().nodes().stream()
                .filter(node -> node.node().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aRankThatHoldsTheOthersUpIsNamedUntilItKeepsUp() {
        RunState state = folded(SampleRun.until(100));
        assertEquals(List.of(), state.status().slowRanks());
        assertEquals(1, state.status().ranks().get(1).slowdown(), 0.05);
        LongStream.rangeClosed(101, 160)
                .forEach(step -> SampleRun.held(step, 0.1).forEach(state::apply));
        SlowRank slow = state.status().slowRanks().get(0);
        assertEquals(List.of(slow), state.status().slowRanks());
        assertEquals("trainer-1", slow.node());
        assertEquals("input wait", slow.part());
        assertEquals(slow.ratio(), state.status().ranks().get(1).slowdown());
        LongStream.rangeClosed(161, 220).forEach(step -> SampleRun.held(step, 0).forEach(state::apply));
        assertEquals(List.of(), state.status().slowRanks());
        assertEquals(
                List.of(
                        "rank 1 (trainer-1) takes 1.5 times as long per micro-batch as the others; the difference is in input wait",
                        "rank 1 (trainer-1) keeps up with the others again"),
                state.since(Cursor.START).events().stream()
                        .filter(line -> line.kind().equals("slow-rank"))
                        .map(line -> line.text())
                        .toList());
    }

    @Test
    void aRunThatIsOverHasNoSlowRank() {
        RunState state = folded(SampleRun.until(1));
        LongStream.rangeClosed(2, 60).forEach(step -> SampleRun.held(step, 0.1).forEach(state::apply));
        assertEquals(1, state.status().slowRanks().size());
        state.apply(SampleRun.ended());
        assertEquals(List.of(), state.status().slowRanks());
    }

    @Test
    void longCurvesAreThinnedButKeepTheirExtremes() {
        RunState state = new RunState();
        state.apply(SampleRun.started(0));
        for (long step = 1; step <= 100_000; step++) {
            Event.Step plain = SampleRun.step(0, step % SampleRun.STEPS, step);
            double loss = step == 31_337 ? 42 : step == 77_777 ? -1 : 0.5;
            state.apply(new Event.Step(step, "n", 0, 1, 1, step, 0, loss, 1, 1e-3, 256, plain.ledger(), Double.NaN));
        }
        Map<Long, Double> loss = curve(state.since(Cursor.START).curves().get("loss"));
        assertTrue(loss.size() <= 1_200, "points " + loss.size());
        assertEquals(42, loss.get(31_337L));
        assertEquals(-1, loss.get(77_777L));
        assertEquals(0.5, loss.get(100_000L));
        assertEquals(1L, loss.keySet().iterator().next());
    }

    private static Event.Input input(String node, long read, long ready) {
        return new Event.Input(
                1,
                node,
                List.of(new Event.Input.Stage("read", 1, 1, 1, read), new Event.Input.Stage("ready", 1, 1, 1, ready)),
                List.of());
    }

    @Test
    void queuesAreSampledAtTheStepAfterTheNodesHaveSpoken() {
        RunState state = folded(List.of(
                SampleRun.started(0),
                input("trainer-0", 3, 1),
                SampleRun.step(0, 1),
                SampleRun.step(0, 2),
                input("trainer-0", 4, 2),
                input("trainer-1", 5, 0),
                SampleRun.step(1, 3),
                SampleRun.step(0, 3)));
        Map<String, Tail> curves = state.since(Cursor.START).curves();
        assertEquals(Map.of(1L, 3.0, 3L, 9.0), curve(curves.get("queue.read")));
        assertEquals(Map.of(1L, 1.0, 3L, 2.0), curve(curves.get("queue.ready")));
        assertEquals(
                List.of("queue.read", "queue.ready"),
                curves.keySet().stream()
                        .filter(name -> name.startsWith("queue"))
                        .toList());

        state.apply(new Event.Membership(2, "coordinator", "trainer-1", "down", 1, 1, ""));
        state.apply(input("trainer-0", 6, 2));
        state.apply(SampleRun.step(0, 4));
        assertEquals(
                6.0, curve(state.since(Cursor.START).curves().get("queue.read")).get(4L));
        state.apply(SampleRun.started(2));
        assertEquals(Map.of(1L, 3.0), curve(state.since(Cursor.START).curves().get("queue.read")));
    }

    private static Event.Input sources(String node, long timeMillis, long web, long curated) {
        return new Event.Input(
                timeMillis,
                node,
                List.of(),
                List.of(
                        new Event.Input.Source("web", web, web / 100.0),
                        new Event.Input.Source("curated", curated, curated / 10.0)));
    }

    private static Event.Cache cache(String node, long timeMillis, long heldBytes, long fetchedBytes) {
        return new Event.Cache(timeMillis, node, "cache", heldBytes, 0, 3, 5, 4, 1, 1, fetchedBytes, 0);
    }

    @Test
    void sourcesAndCachesHaveRatesOfTheLastTwoWordsOfANode() {
        RunState state = folded(List.of(
                SampleRun.started(0),
                sources("trainer-0", 1_000, 40, 10),
                cache("trainer-0", 1_000, 700, 100),
                SampleRun.step(0, 1),
                sources("trainer-1", 1_500, 60, 15),
                SampleRun.step(0, 2),
                sources("trainer-0", 3_000, 120, 30),
                cache("trainer-0", 3_000, 900, 500),
                cache("trainer-1", 3_000, 800, 0),
                SampleRun.step(0, 3),
                cache("trainer-1", 4_000, 800, 300),
                SampleRun.step(0, 4)));
        Map<String, Tail> curves = state.since(Cursor.START).curves();
        assertEquals(Map.of(3L, 40.0), curve(curves.get("rate.web")));
        assertEquals(Map.of(3L, 10.0), curve(curves.get("rate.curated")));
        assertEquals(Map.of(1L, 0.4, 2L, 0.6, 3L, 1.2), curve(curves.get("epoch.web")));
        assertEquals(Map.of(1L, 700.0, 3L, 900.0, 4L, 900.0), curve(curves.get("cache.held")));
        assertEquals(Map.of(3L, 200.0, 4L, 500.0), curve(curves.get("cache.fetched")));
        assertEquals(2, state.status().caches().size());
        state.apply(new Event.Membership(4_500, "coordinator", "trainer-1", "down", 1, 1, ""));
        assertEquals(1, state.status().caches().size());

        // The time between two starts is no part of a rate, and a node that counts from 0 again has none.
        state.apply(SampleRun.started(4));
        state.apply(sources("trainer-0", 900_000, 120, 30));
        state.apply(cache("trainer-0", 900_000, 900, 0));
        state.apply(SampleRun.step(0, 5));
        Map<String, Tail> resumed = state.since(Cursor.START).curves();
        assertEquals(Map.of(3L, 40.0), curve(resumed.get("rate.web")));
        assertEquals(Map.of(3L, 200.0, 4L, 500.0), curve(resumed.get("cache.fetched")));
        assertEquals(1.2, curve(resumed.get("epoch.web")).get(5L));
    }

    @Test
    void whatAUserProbesLaterIsKeptAndMakesTheRunNoLonger() {
        List<Event> events = new ArrayList<>(SampleRun.until(400));
        events.add(SampleRun.ended());
        RunState state = folded(events);
        RunStatus before = state.status();
        state.apply(new Event.Probe(
                SampleRun.at(100_000), Event.Probe.VERB, 0, "linear", 0.6, 0.9, 20_000, 5_000, 1, "", 1));
        RunStatus after = state.status();
        assertEquals(before.lastMillis(), after.lastMillis());
        assertEquals(before.nodes(), after.nodes());
        assertEquals(before.correlation(), after.correlation());
        assertEquals(before.probes().size() + 1, after.probes().size());
        assertEquals("completed", after.state());
    }

    @Test
    void piecesAddUpToTheWhole() {
        RunState state = new RunState();
        Map<String, TreeMap<Long, Double>> seen = new HashMap<>();
        List<Long> lines = new ArrayList<>();
        Cursor cursor = Cursor.START;
        int number = 0;
        int full = 0;
        List<Event> events = new ArrayList<>(SampleRun.until(1_500));
        for (int at = 300; at < events.size(); at += 100) {
            events.add(at, input("trainer-0", at, 1));
        }
        events.add(SampleRun.started(1_000));
        events.addAll(SampleRun.until(1_200).stream()
                .filter(e -> e instanceof Event.Step s && s.step() > 1_000)
                .toList());
        for (Event event : events) {
            state.apply(event);
            if (number++ % 37 == 0) {
                RunUpdate update = state.since(cursor);
                cursor = update.next();
                if (update.full()) {
                    full++;
                    seen.clear();
                    lines.clear();
                }
                update.curves().forEach((name, tail) -> {
                    TreeMap<Long, Double> curve = seen.computeIfAbsent(name, unseen -> new TreeMap<>());
                    curve.tailMap(tail.from(), true).clear();
                    curve.putAll(curve(tail));
                });
                update.events().forEach(line -> lines.add(line.id()));
                RunUpdate whole = state.since(Cursor.START);
                assertEquals(whole.curves().keySet(), seen.keySet());
                whole.curves().forEach((name, tail) -> assertEquals(curve(tail), seen.get(name), name));
                assertEquals(whole.events().stream().map(line -> line.id()).toList(), lines);
            }
        }
        assertTrue(full < 20, "sent everything " + full + " times in " + number / 37 + " pieces");
        assertEquals(Map.of(), Map.copyOf(quiet(state, state.since(cursor).next())));
    }

    private static Map<String, Tail> quiet(RunState state, Cursor cursor) {
        RunUpdate update = state.since(cursor);
        assertFalse(update.full());
        assertEquals(cursor.changes(), update.next().changes());
        assertEquals(List.of(), update.events());
        Map<String, Tail> changed = new HashMap<>(update.curves());
        changed.values().removeIf(tail -> tail.steps().size() <= 3);
        return changed;
    }

    @Test
    void aLossThatIsNotANumberStopsNothing() {
        RunState state = folded(SampleRun.until(5));
        Event.Step plain = SampleRun.step(0, 6);
        state.apply(new Event.Step(
                plain.timeMillis(),
                "trainer-0",
                0,
                2,
                1,
                6,
                0,
                Double.NaN,
                Double.NaN,
                1e-3,
                256,
                plain.ledger(),
                Double.NaN));
        state.apply(SampleRun.step(0, 7));
        assertEquals(7, state.status().step());
        assertEquals(1_280, state.status().imagesPerSecond(), 1);
    }

    @Test
    void theSameComesOutOfTheJournals(@TempDir Path run) throws IOException {
        List<Event> events = SampleRun.until(300);
        try (Journal trainer = Journal.open(run, "trainer-0");
                Journal rest = Journal.open(run, "rest")) {
            events.forEach(event -> (event.node().equals("trainer-0") ? trainer : rest).append(event));
        }
        RunState state = new RunState();
        try (Stream<Event> read = Journals.read(run)) {
            read.forEach(state::apply);
        }
        assertEquals(folded(events).summary(), state.summary());
    }

    @Test
    void aDiskAProcessAndAnAlarmAreNoSignThatSomethingGoesOn() {
        RunState state = folded(SampleRun.until(30));
        long last = state.status().lastMillis();
        List<RunStatus.NodeStatus> nodes = state.status().nodes();
        state.apply(new Event.Disk(last + 60_000, "trainer-0", "runs/a", 1, 2));
        state.apply(SampleRun.usage("trainer-0", 400, 0.5));
        state.apply(SampleRun.alarm("silence", "", true, 400, 600));
        assertEquals(last, state.status().lastMillis());
        assertEquals(nodes, state.status().nodes());
        assertEquals(1, state.status().alarms().size());
    }

    @Test
    void theLastWordOfANodeOnWhatItTakesStandsUntilItIsGone() {
        RunState state = folded(SampleRun.until(30));
        state.apply(SampleRun.usage("trainer-1", 20, 0.5));
        state.apply(SampleRun.onGpu("trainer-0", 21));
        state.apply(SampleRun.usage("trainer-1", 30, 0.75));
        assertEquals(
                List.of(SampleRun.onGpu("trainer-0", 21), SampleRun.usage("trainer-1", 30, 0.75)),
                state.status().usages());
        state.apply(new Event.Membership(SampleRun.at(31), "main", "trainer-0", "down", 1, 2, "unreachable"));
        assertEquals(
                List.of(SampleRun.usage("trainer-1", 30, 0.75)), state.status().usages());
    }

    @Test
    void aRunIsPausedUntilItIsResumedOrAnotherGenerationBegins() {
        RunState state = folded(SampleRun.until(30));
        Event.Membership next = new Event.Membership(SampleRun.at(30), "main", "", "generation", 2, 2, "step 30");
        for (Event goesOn : List.of(SampleRun.action("resume", "", Event.Action.DONE), next)) {
            state.apply(SampleRun.action("pause", "", Event.Action.ASKED));
            assertEquals("training", state.status().state());
            state.apply(SampleRun.action("pause", "", Event.Action.DONE));
            assertEquals("paused", state.status().state());
            assertFalse(state.status().ended());
            state.apply(SampleRun.step(1, 30)); // another rank's last step, which comes late
            state.apply(SampleRun.action("resume", "", Event.Action.REFUSED));
            assertEquals("paused", state.status().state());
            state.apply(goesOn);
            assertEquals("training", state.status().state());
        }
    }

    @Test
    void theNewestOfTheQuarantineAndOfThePastAlarmsAreKept() {
        RunState state = folded(SampleRun.until(30));
        for (int number = 1; number <= 60; number++) {
            state.apply(SampleRun.badSample(30, number));
            state.apply(SampleRun.alarm("loss-spike", "", true, number, 0.9));
            state.apply(SampleRun.alarm("loss-spike", "", false, number + 1, 0.4));
        }
        state.apply(SampleRun.alarm("disk", "trainer-0", true, 61, 0.9));
        state.apply(SampleRun.alarm("straggler", "rank 1", false, 61, 0.9));
        RunStatus status = state.status();
        assertEquals(60, status.badSamples());
        assertEquals(50, status.quarantine().size());
        assertEquals("k60", status.quarantine().get(0).key());
        assertEquals(50, status.pastAlarms().size(), "and one that was never raised is not over");
        assertEquals(60, status.pastAlarms().get(0).raisedStep());
        assertEquals(61, status.pastAlarms().get(0).overStep());
        assertEquals("the loss is near its median", status.pastAlarms().get(0).over());
        assertEquals(
                List.of("disk"),
                status.alarms().stream().map(Event.Alarm::alarm).toList());
    }

    @Test
    void expectsTheAccuracyThatItsProbesHaveShownOfALoss() {
        RunState state = folded(SampleRun.until(400));
        assertEquals(3, state.status().probes().size());
        Event.Validation last = SampleRun.validation(500);
        state.apply(last);
        RunStatus status = state.status();
        Prediction expected = status.accuracyExpected();
        assertEquals(status.correlation().line().at(last.loss()), expected);
        assertTrue(expected.interval().contains(expected.value()), expected.toString());
        assertTrue(
                Double.isNaN(
                        folded(SampleRun.until(200)).status().accuracyExpected().value()),
                "of two probes");
    }

    @Test
    void ranksAreHeldFromTheStartOnAndNotBetweenStarts() {
        RunState state = folded(SampleRun.until(100));
        double twoRanks = 2 * 100 * SampleRun.STEP_SECONDS / 3_600;
        assertEquals(twoRanks, state.status().rankHours(), 1e-9);
        assertTrue(Double.isNaN(state.status().cost()), "without a price");
        Event.RunStarted start = SampleRun.started(100);
        long day = 86_400_000;
        state.apply(new Event.RunStarted(
                start.timeMillis() + day,
                start.node(),
                start.run(),
                100,
                start.steps(),
                start.globalBatch(),
                start.parameters(),
                start.trainImages(),
                2,
                start.precision(),
                "",
                null,
                1.5));
        assertEquals(0, state.status().cost(), "the price is that of this start");
        state.apply(SampleRun.step(0, 101, start.timeMillis() + day + 3_600_000));
        assertEquals(twoRanks + 2, state.status().rankHours(), 1e-9);
        assertEquals(3, state.status().cost(), 1e-9);
        assertTrue(Frame.of(state.since(Cursor.START), "", start.timeMillis() + day, 120, 40).stream()
                .anyMatch(line -> line.toString().endsWith("  cost so far 3.00")));
    }

    private static Map<Long, Double> curve(Tail tail) {
        Map<Long, Double> points = new TreeMap<>();
        for (int i = 0; i < tail.steps().size(); i++) {
            points.put(tail.steps().get(i), tail.values().get(i));
        }
        assertEquals(tail.steps().size(), points.size(), "a step came twice");
        return points;
    }
}
