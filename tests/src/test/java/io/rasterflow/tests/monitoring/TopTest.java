package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.RunState;
import io.rasterflow.monitoring.monitor.RunUpdate;
import io.rasterflow.monitoring.monitor.RunUpdate.Cursor;
import io.rasterflow.monitoring.page.Dashboard;
import io.rasterflow.monitoring.top.Frame;
import io.rasterflow.monitoring.top.JournalSource;
import io.rasterflow.monitoring.top.PageSource;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.awaitility.Awaitility;
import org.jline.utils.AttributedString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code top} shows, and where it has it from. */
class TopTest {

    @TempDir
    private Path run;

    private static RunState state(List<Event> events) {
        RunState state = new RunState();
        events.forEach(state::apply);
        return state;
    }

    private static List<AttributedString> frame(RunState state, long now, int width, int height) {
        return Frame.of(state.since(Cursor.START), "", now, width, height);
    }

    private static String text(List<AttributedString> lines) {
        return lines.stream().map(AttributedString::toString).collect(Collectors.joining("\n"));
    }

    @Test
    void aFrameHasWhatMattersAndFitsTheWindow() {
        RunState state = state(SampleRun.until(1_000));
        state.apply(SampleRun.badSample(1_000, 1));
        state.apply(new Event.Membership(
                SampleRun.at(1_000), "coordinator", "probe-0", "down", 1, 2, "lost \u001b[31m\u009b2J"));
        String text = text(frame(state, SampleRun.at(1_000), 100, 40));
        assertTrue(text.startsWith("fashion-aim  training  2,140,000 parameters, fp32\n"), text);
        assertTrue(text.contains("step 1,000 of 1,600  ███████████████████···········  62.5 %  2 min 00 s left"), text);
        assertTrue(text.contains("epoch 12.80  2 ranks, generation 1  5 checkpoints  bad samples: 1"), text);
        assertTrue(text.matches("(?s).*\nloss +0\\.3\\d{3}, 0\\.\\d{4} at first +█[▁-█]*▁\n.*"), text);
        assertTrue(text.contains("attentive 84.17 %, 78.90 % at step 0; with the loss r = -0.982"), text);
        assertTrue(text.matches("(?s).*\nrank 1 +[.:#=+-]*-?#{20,}=+\\++ +0\\.2\\d\\d s  trainer-1\n.*"), text);
        assertTrue(text.contains("probe-0 down"), text);
        assertTrue(text.contains("bad-sample: train-00003.tar at 512"), text);
        assertTrue(text.contains("lost ?[31m?2J"), "an event steers the terminal");
        for (int width : new int[] {1, 20, 60}) {
            List<AttributedString> small = frame(state, SampleRun.at(1_000), width, 12);
            assertTrue(small.size() <= 12, "lines " + small.size());
            small.forEach(line -> assertTrue(line.columnLength() <= width, line.toString()));
        }
    }

    @Test
    void whatNodesTakeOfProcessorAndMemoryFitsTheWindow() {
        RunState state = state(SampleRun.until(100));
        state.apply(SampleRun.usage("trainer-0", 100, 0.8333));
        state.apply(SampleRun.onGpu("trainer-1", 100));
        String wide = text(frame(state, SampleRun.at(100), 140, 40));
        assertTrue(
                wide.contains(
                        "\ntrainer-0   cpu ████████·· 83 % of 8 cores  memory ██········ 3.0 GB, 12.0 GB of 16.0 GB left"
                                + "  machine 90 %  heap 500.0 MB of 4.0 GB\n"),
                wide);
        assertTrue(
                wide.contains(
                        "\ntrainer-1   cpu ███······· 25 % of 16 cores  memory 5.0 GB  cuda:0 ████████·· 60.0 GB of"
                                + " 80.0 GB  heap 700.0 MB of 8.0 GB\n"),
                wide);
        String narrow = text(frame(state, SampleRun.at(100), 60, 40));
        assertTrue(narrow.contains("\ntrainer-0   cpu ████████·· 83 % of 8 cores\n"), narrow);
        for (int node = 2; node < 64; node++) {
            state.apply(SampleRun.usage("trainer-" + node, 100, node / 64.0));
        }
        for (int width : new int[] {1, 20, 79}) {
            List<AttributedString> many = frame(state, SampleRun.at(100), width, 40);
            assertTrue(many.size() <= 40, "lines " + many.size());
            many.forEach(line -> assertTrue(line.columnLength() <= width, line.toString()));
        }
        String folded = text(frame(state, SampleRun.at(100), 100, 40));
        assertTrue(folded.contains("trainer-63") && folded.matches("(?s).*and \\d\\d more nodes.*"), folded);
        state.apply(new Event.Membership(SampleRun.at(100), "coordinator", "trainer-63", "down", 1, 2, ""));
        assertFalse(text(frame(state, SampleRun.at(100), 100, 40)).contains("trainer-63  cpu"), "it has gone");
    }

    @Test
    void aSilentRunASlowRankAndTheEndAreNamed() {
        RunState state = state(SampleRun.until(900));
        LongStream.rangeClosed(901, 960)
                .forEach(step -> SampleRun.held(step, 0.1).forEach(state::apply));
        String slow = text(frame(state, SampleRun.at(960) + 90_000, 120, 40));
        assertTrue(slow.contains("silent for 1 min 30 s, no end told"), slow);
        assertTrue(slow.contains("slow        rank 1 (trainer-1) takes 1.6 times as long"), slow);
        state.apply(new Event.RunEnded(SampleRun.at(960), "main", 960, "failed", "the disk is full"));
        String ended = text(frame(state, SampleRun.at(960) + 90_000, 120, 40));
        assertTrue(ended.contains("failed: the disk is full") && !ended.contains("left"), ended);
        String waiting = text(frame(new RunState(), 0, 80, 40));
        assertTrue(waiting.startsWith("a run  waiting"), waiting);
    }

    @Test
    void anAlarmStandsUntilItIsOver() {
        RunState state = state(SampleRun.until(100));
        assertFalse(text(frame(state, SampleRun.at(100), 120, 40)).contains("alarm"));
        state.apply(SampleRun.alarm("loss-spike", "", true, 100, 0.9));
        state.apply(SampleRun.alarm("disk", "trainer-\u001b0", true, 100, 0.9));
        for (long step = 101; step <= 200; step++) {
            SampleRun.held(step, 0).forEach(state::apply);
            state.apply(SampleRun.checkpoint(step));
        }
        String both = text(frame(state, SampleRun.at(200), 120, 40));
        String disk =
                "alarm       disk (trainer-?0) since step 100: the loss of step 100 is <b>far</b> above; try: look";
        String spike = "alarm       loss spike since step 100: the loss of step 100 is <b>far</b> above; try: look";
        assertTrue(both.contains("\n" + disk + "\n" + spike + "\n\nloss "), both);
        assertFalse(both.contains(" alarm: "), "the event has scrolled off");

        String low = text(frame(state, SampleRun.at(200), 120, 9));
        assertTrue(low.contains("\nalarm       2 alarms stand\n"), low);
        state.apply(SampleRun.alarm("plateau", "", true, 200, 0.9));
        String folded = text(frame(state, SampleRun.at(200), 120, 12));
        assertTrue(folded.contains("\nalarm       plateau since step 200: "), folded);
        assertTrue(folded.contains("\nalarm       and 2 more alarms\n"), folded);

        for (String alarm : List.of("loss-spike", "plateau")) {
            state.apply(SampleRun.alarm(alarm, "", false, 201, 0.4));
        }
        state.apply(SampleRun.alarm("disk", "trainer-\u001b0", false, 201, 0.4));
        String over = text(frame(state, SampleRun.at(201), 120, 40));
        assertFalse(over.contains("\nalarm "), over);
        assertTrue(over.contains("loss spike is over"), over);
    }

    @Test
    void manyRanksAreFoldedAndLeaveRoomForEvents() {
        RunState state = state(SampleRun.until(200));
        state.apply(new Event.Membership(SampleRun.at(200), "main", "", "generation", 2, 64, ""));
        Event.Step step = SampleRun.step(0, 201);
        for (int rank = 0; rank < 64; rank++) {
            state.apply(new Event.Step(
                    step.timeMillis(), "t-" + rank, rank, 64, 2, 201, 1, 0.5, 1, 0.1, 256, step.ledger(), Double.NaN));
        }
        String text = text(frame(state, SampleRun.at(201), 100, 50));
        assertTrue(text.contains("rank 0 ") && text.matches("(?s).*and \\d\\d more ranks.*"), text);
    }

    @Test
    void journalsAreFollowed() throws IOException {
        assertThrows(IOException.class, () -> new JournalSource(run));
        try (Journal journal = Journal.open(run, "main")) {
            SampleRun.until(100).forEach(journal::append);
            try (JournalSource source = new JournalSource(run)) {
                assertEquals(100, source.run().status().step());
                assertFalse(source.behind());
                journal.append(SampleRun.step(0, 101));
                assertEquals(101, source.run().status().step());
            }
        }
    }

    @Test
    void aPageIsFollowedAndItsLossIsTold() throws IOException {
        ActorTestKit kit = ActorTestKit.create();
        try {
            List<Event> events = new ArrayList<>(SampleRun.until(900));
            events.add(new Event.Input(
                    SampleRun.at(900),
                    "trainer-0",
                    List.of(new Event.Input.Stage("decode", 512, 1L << 33, 1.5, 3)),
                    List.of(new Event.Input.Source("web", 410, 0.25))));
            RunState state = state(events);
            ActorRef<MonitorActor.Command> monitor = kit.spawn(MonitorActor.create(state(events)));
            URI page = Dashboard.start(kit.system(), "127.0.0.1", 0, monitor, new ImageArchive(run))
                    .toCompletableFuture()
                    .join();
            try (PageSource source = new PageSource(page)) {
                assertEquals(900, source.run().status().step());
                for (long step = 901; step <= 1_000; step++) {
                    Event event = SampleRun.step(0, step);
                    state.apply(event);
                    monitor.tell(new MonitorActor.Record(event));
                }
                Event bad = SampleRun.badSample(1_000, 1);
                state.apply(bad);
                monitor.tell(new MonitorActor.Record(bad));
                RunUpdate expected = state.since(Cursor.START);
                Awaitility.await().until(() -> source.run().events().equals(expected.events()));
                assertEquals(expected.curves(), source.run().curves());
                assertEquals(expected.status(), source.run().status());
                kit.shutdownTestKit();
                Awaitility.await().until(() -> !source.note().isEmpty());
            }
            IOException gone = assertThrows(IOException.class, () -> new PageSource(page));
            assertTrue(gone.getMessage().startsWith("no page at " + page), gone.getMessage());
        } finally {
            kit.shutdownTestKit();
        }
    }
}
