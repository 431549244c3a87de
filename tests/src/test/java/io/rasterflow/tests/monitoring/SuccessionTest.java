package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.node.MonitorPast;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.config.RunConfig;
import io.rasterflow.monitoring.compare.Comparison;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.Past;
import io.rasterflow.monitoring.monitor.RunState;
import io.rasterflow.monitoring.monitor.RunStatus;
import io.rasterflow.monitoring.page.Dashboard;
import io.rasterflow.monitoring.page.Succession;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a monitor that takes over knows, and what its page opens to others. */
class SuccessionTest {

    @TempDir
    private Path run;

    private ActorTestKit kit;

    @BeforeEach
    void start() {
        kit = ActorTestKit.create();
    }

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    private RunPlan plan(String... overrides) {
        List<String> all = new ArrayList<>(List.of(overrides));
        all.add("train.steps=1600");
        all.add("name=far");
        return RunConfig.load("", all).config().plan(run, false);
    }

    private RunStatus status(ActorRef<MonitorActor.Command> monitor) {
        TestProbe<RunStatus> probe = kit.createTestProbe();
        monitor.tell(new MonitorActor.GetStatus(probe.ref()));
        return probe.receiveMessage();
    }

    @Test
    void whereAllJournalsCanBeReadNothingIsMissing() throws IOException {
        try (Journal main = Journal.open(run, "main");
                Journal trainer = Journal.open(run, "trainer-0")) {
            SampleRun.until(50).forEach(trainer::append);
            main.append(new Event.Membership(SampleRun.at(1), "main", "", "generation", 1, 2, ""));
        }
        Past past = MonitorPast.of(plan(), true, "heir", alarm -> {});
        assertTrue(past.whole());
        assertEquals("", past.state().status().missing());
        assertEquals("fashion-aim", past.state().status().run());
        assertEquals(50, past.state().status().step());
        Past begun = MonitorPast.of(plan(), false, "main", alarm -> {});
        assertEquals("waiting", begun.state().status().state(), "a run that begins has no past");
    }

    @Test
    void whereOnlyItsOwnCanBeReadThePageSaysSoAndAlarmsAreThere() throws IOException {
        try (Journal heir = Journal.open(run, "heir")) {
            SampleRun.until(50).stream()
                    .filter(event -> event instanceof Event.Step step && step.rank() == 1)
                    .forEach(heir::append);
        }
        List<Event.Alarm> raised = new ArrayList<>();
        Past past = MonitorPast.of(plan("monitor.alarms.diskFreeBytes=1000000000000000"), true, "heir", raised::add);
        assertFalse(past.whole());
        ActorRef<MonitorActor.Command> monitor =
                kit.spawn(MonitorActor.create(CompletableFuture.completedFuture(past)));
        monitor.tell(new MonitorActor.Record(SampleRun.step(0, 51)));
        monitor.tell(new MonitorActor.Record(new Event.Disk(SampleRun.at(51), "heir", "/runs", 1, 2)));
        RunStatus status = status(monitor);
        assertEquals("far", status.run());
        assertEquals(1_600, status.steps());
        assertEquals(51, status.step());
        assertEquals(0, status.parameters(), "what nobody told is not invented");
        assertTrue(status.missing().startsWith("node heir has taken over the monitor"), status.missing());
        assertEquals(
                List.of("disk"),
                status.alarms().stream().map(Event.Alarm::alarm).toList());
        assertEquals(status.alarms(), raised);
    }

    @Test
    void whatIsToldMeanwhileIsKeptAndCountsOnce() {
        CompletableFuture<Past> reading = new CompletableFuture<>();
        ActorRef<MonitorActor.Command> monitor = kit.spawn(MonitorActor.create(reading));
        TestProbe<RunStatus> early = kit.createTestProbe();
        RunState state = new RunState();
        SampleRun.until(30).forEach(state::apply);
        long before = state.status().imagesDone();
        monitor.tell(new MonitorActor.GetStatus(early.ref()));
        monitor.tell(new MonitorActor.Record(SampleRun.step(0, 30)));
        monitor.tell(new MonitorActor.Record(SampleRun.step(0, 31)));
        reading.complete(new Past(state, Optional.empty(), Set.of(SampleRun.step(0, 30)), true));
        assertEquals(30, early.receiveMessage().step());
        assertEquals(31, status(monitor).step());
        assertEquals(before + SampleRun.step(0, 31).images(), status(monitor).imagesDone());
    }

    @Test
    void aPastThatCannotBeHadIsNone() {
        ActorRef<MonitorActor.Command> monitor =
                kit.spawn(MonitorActor.create(CompletableFuture.failedFuture(new IllegalStateException("no"))));
        monitor.tell(new MonitorActor.Record(SampleRun.step(0, 7)));
        assertEquals(7, status(monitor).step());
    }

    @Test
    void onlyAPageWithHeirsAnswersOthersAndOnlyWhetherItIsOfTheirRun() throws Exception {
        URI alone = serve(new Succession("far", "here", 0, List::of));
        assertTrue(origin(get(alone, "healthz?run=far")).isEmpty());
        assertTrue(policy(alone).contains("connect-src 'self';"), policy(alone));
        URI one = serve(new Succession("far", "here", 8080, () -> List.of(URI.create("http://there:8080/"))));
        assertEquals("*", origin(get(one, "healthz?run=far")).orElseThrow());
        assertEquals(200, get(one, "healthz?run=far").statusCode());
        assertEquals(404, get(one, "healthz?run=near").statusCode());
        for (String closed : List.of("", "page.js", "api/status", "metrics", "api/actions", "missing")) {
            assertTrue(origin(get(one, closed)).isEmpty(), closed);
        }
        assertTrue(policy(one).contains("connect-src 'self' http://*:8080;"), policy(one));
    }

    private URI serve(Succession succession) {
        return Dashboard.start(
                        kit.system(),
                        "127.0.0.1",
                        0,
                        kit.spawn(MonitorActor.create()),
                        new ImageArchive(run),
                        Comparison.NONE,
                        Optional.empty(),
                        succession)
                .toCompletableFuture()
                .join();
    }

    private static HttpResponse<String> get(URI page, String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(page.resolve(path)).build(), BodyHandlers.ofString());
    }

    private static Optional<String> origin(HttpResponse<String> response) {
        return response.headers().firstValue("access-control-allow-origin");
    }

    private static String policy(URI page) throws Exception {
        return get(page, "").headers().firstValue("content-security-policy").orElseThrow();
    }
}
