package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.alarm.Alarms;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.MonitorMessage;
import io.rasterflow.monitoring.monitor.Notable;
import io.rasterflow.monitoring.monitor.RunState;
import io.rasterflow.monitoring.monitor.RunStatus;
import io.rasterflow.monitoring.monitor.RunUpdate;
import io.rasterflow.monitoring.monitor.Telemetry;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.jackson.JacksonCborSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MonitorActorTest {

    private static ActorTestKit kit;

    @BeforeAll
    static void start() {
        kit = ActorTestKit.create();
    }

    @AfterAll
    static void stop() {
        kit.shutdownTestKit();
    }

    private static RunStatus status(ActorRef<MonitorActor.Command> monitor) {
        TestProbe<RunStatus> probe = kit.createTestProbe();
        monitor.tell(new MonitorActor.GetStatus(probe.ref()));
        return probe.receiveMessage();
    }

    @Test
    void foldsWhatItIsTold() {
        ActorRef<MonitorActor.Command> monitor = kit.spawn(MonitorActor.create());
        assertEquals("waiting", status(monitor).state());
        SampleRun.until(30).forEach(event -> monitor.tell(new MonitorActor.Record(event)));
        assertEquals(30, status(monitor).step());

        TestProbe<MonitorActor.Summarised> summary = kit.createTestProbe();
        monitor.tell(new MonitorActor.GetSummary(summary.ref()));
        assertEquals(30, summary.receiveMessage().summary().steps());

        TestProbe<RunUpdate> update = kit.createTestProbe();
        monitor.tell(new MonitorActor.GetUpdate(RunUpdate.Cursor.START, update.ref()));
        RunUpdate all = update.receiveMessage();
        assertTrue(all.full());
        monitor.tell(new MonitorActor.Record(SampleRun.step(0, 31)));
        monitor.tell(new MonitorActor.GetUpdate(all.next(), update.ref()));
        assertEquals(31, update.receiveMessage().status().step());
    }

    @Test
    void subscribersGetEveryEventUntilTheyStop() {
        ActorRef<MonitorActor.Command> monitor = kit.spawn(MonitorActor.create());
        TestProbe<Event> first = kit.createTestProbe();
        TestProbe<Event> second = kit.createTestProbe();
        monitor.tell(new MonitorActor.Subscribe(first.ref()));
        monitor.tell(new MonitorActor.Subscribe(first.ref()));
        monitor.tell(new MonitorActor.Subscribe(second.ref()));
        monitor.tell(new MonitorActor.Record(SampleRun.step(0, 1)));
        assertEquals(SampleRun.step(0, 1), first.receiveMessage());
        assertEquals(SampleRun.step(0, 1), second.receiveMessage());
        second.stop();
        monitor.tell(new MonitorActor.Record(SampleRun.step(0, 2)));
        assertEquals(SampleRun.step(0, 2), first.receiveMessage(), "one subscription, one event");
        assertEquals(2, status(monitor).step());
    }

    @Test
    void goesOnFromAStateThatWasFoldedBefore() {
        RunState state = new RunState();
        SampleRun.until(30).forEach(state::apply);
        ActorRef<MonitorActor.Command> monitor = kit.spawn(MonitorActor.create(state));
        assertEquals(30, status(monitor).step());
    }

    @Test
    void alarmsAreJournalledAndAJournalThatIsReadAgainGivesTheSame(@TempDir Path run) throws IOException {
        TestProbe<Event> subscriber = kit.createTestProbe();
        List<Event.Alarm> hooked = new ArrayList<>();
        List<Event.Alarm> shown;
        try (Journal journal = Journal.open(run, "main")) {
            ActorRef<MonitorActor.Command> monitor = kit.spawn(MonitorActor.create(
                    new RunState(), new MonitorActor.Watch(new Alarms(WatchedRun.config(), "main"), alarm -> {
                        journal.append(alarm);
                        hooked.add(alarm);
                    })));
            Telemetry telemetry = new Telemetry(journal, monitor);
            SampleRun.until(300).forEach(telemetry::record);
            telemetry.record(SampleRun.checkpoint(300)); // What is no step is told at once, with the steps before it.
            assertEquals(List.of(), status(monitor).alarms());
            LongStream.rangeClosed(301, 360)
                    .forEach(step -> SampleRun.held(step, 0.1).forEach(telemetry::record));
            telemetry.record(SampleRun.checkpoint(360));
            shown = status(monitor).alarms();
            assertEquals(
                    List.of("straggler"), shown.stream().map(Event.Alarm::alarm).toList());
            assertEquals("rank 1", shown.get(0).subject());
            monitor.tell(new MonitorActor.Subscribe(subscriber.ref()));
            telemetry.record(new Event.RunEnded(SampleRun.at(360), "main", 360, "failed", "no node is left"));
            shown = status(monitor).alarms();
            assertEquals(2, shown.size());
        }
        assertTrue(subscriber.receiveMessage() instanceof Event.RunEnded);
        assertEquals(shown.get(1), subscriber.receiveMessage());
        RunState again = new RunState();
        JournalTest.readAll(run).forEach(again::apply);
        assertEquals(shown, again.status().alarms());
        assertEquals(shown, hooked);
        List<String> lines = again.since(RunUpdate.Cursor.START).events().stream()
                .filter(line -> line.kind().equals("alarm"))
                .map(Notable::text)
                .toList();
        assertEquals(2, lines.size());
        assertEquals("run failed: the run has failed at step 360: no node is left", lines.get(1));
        Alarms next = new Alarms(WatchedRun.config(), "main");
        JournalTest.readAll(run).forEach(next::replay);
        next.add(SampleRun.started(300), SampleRun.at(400)).forEach(again::apply);
        assertEquals(List.of(), again.status().alarms(), "a start begins without any");
    }

    @Test
    void everyCommandHasAHandler() {
        ActorRef<MonitorActor.Command> monitor = kit.spawn(MonitorActor.create());
        TestProbe<Object> anyone = kit.createTestProbe();
        List<MonitorActor.Command> commands = List.of(
                new MonitorActor.Record(SampleRun.step(0, 1)),
                new MonitorActor.Subscribe(anyone.ref().unsafeUpcast()),
                new MonitorActor.GetStatus(anyone.ref().unsafeUpcast()),
                new MonitorActor.GetUpdate(RunUpdate.Cursor.START, anyone.ref().unsafeUpcast()),
                new MonitorActor.GetThumbnail("none", anyone.ref().unsafeUpcast()),
                new MonitorActor.GetSummary(anyone.ref().unsafeUpcast()));
        Set<Class<?>> open = Arrays.stream(MonitorActor.Command.class.getPermittedSubclasses())
                .filter(type -> !Modifier.isPrivate(type.getModifiers()))
                .collect(Collectors.toSet());
        assertEquals(open, commands.stream().map(Object::getClass).collect(Collectors.toSet()));
        TestProbe<org.apache.pekko.actor.UnhandledMessage> unhandled =
                kit.createTestProbe(org.apache.pekko.actor.UnhandledMessage.class);
        kit.system()
                .eventStream()
                .tell(new org.apache.pekko.actor.typed.eventstream.EventStream.Subscribe<>(
                        org.apache.pekko.actor.UnhandledMessage.class, unhandled.ref()));
        commands.forEach(monitor::tell);
        for (int i = 0; i < 4; i++) {
            anyone.receiveMessage();
        }
        unhandled.expectNoMessage(java.time.Duration.ofMillis(50));
    }

    @Test
    void whatTravelsIsCborAndComesBackEqual() {
        RunState state = new RunState();
        SampleRun.until(200).forEach(state::apply);
        TestProbe<RunStatus> replyTo = kit.createTestProbe();
        List<Object> messages = new ArrayList<>(SampleRun.oneOfEach());
        SampleRun.oneOfEach().forEach(event -> messages.add(new MonitorActor.Record(event)));
        messages.add(new MonitorActor.GetStatus(replyTo.ref()));
        messages.add(state.status());
        messages.add(state.since(RunUpdate.Cursor.START));
        messages.add(new MonitorActor.GetUpdate(
                state.since(RunUpdate.Cursor.START).next(),
                kit.<RunUpdate>createTestProbe().ref()));
        messages.add(new MonitorActor.Summarised(state.summary()));
        messages.add(new MonitorActor.GetThumbnail(
                "name", kit.<MonitorActor.Thumbnail>createTestProbe().ref()));
        messages.add(new MonitorActor.Thumbnail("iVBORw0KGgo="));
        var serialization = SerializationExtension.get(kit.system());
        for (Object message : messages) {
            assertTrue(message instanceof Event || message instanceof MonitorMessage);
            var serializer = serialization.findSerializerFor(message);
            assertTrue(serializer instanceof JacksonCborSerializer, message.getClass() + " goes by " + serializer);
            byte[] bytes = serialization.serialize(message).get();
            Object back = serialization
                    .deserialize(
                            bytes, serializer.identifier(), message.getClass().getName())
                    .get();
            assertEquals(message, back);
        }
    }

    @Test
    void telemetryJournalsFirstAndKeepsTheSampleLedgerToItself(@TempDir Path run) throws IOException {
        TestProbe<MonitorActor.Command> monitor = kit.createTestProbe();
        List<Event> events = SampleRun.oneOfEach();
        try (Journal journal = Journal.open(run, "n")) {
            Telemetry telemetry = new Telemetry(journal, monitor.ref());
            events.forEach(telemetry::record);
            assertEquals(events.size(), journal.appended());
            // Of another rank's last step the monitor hears a little later, and by itself.
            telemetry.record(SampleRun.step(1, 7));
        }
        for (Event event : events) {
            if (!(event instanceof Event.Lease) && !(event instanceof Event.Commit)) {
                assertEquals(new MonitorActor.Record(event), monitor.receiveMessage());
            }
        }
        assertEquals(new MonitorActor.Record(SampleRun.step(1, 7)), monitor.receiveMessage());
        monitor.expectNoMessage(java.time.Duration.ofMillis(20));
    }
}
