package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.node.MonitorPast;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.config.RunConfig;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.Past;
import io.rasterflow.monitoring.monitor.RunState;
import io.rasterflow.monitoring.monitor.RunUpdate.Cursor;
import io.rasterflow.monitoring.monitor.RunUpdate.Tail;
import io.rasterflow.monitoring.page.Dashboard;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.openqa.selenium.By;

/** A run of a million steps on 64 nodes stays small enough to look at, and hides nothing. */
@Timeout(120)
class LargeRunTest extends PageFixture {

    private static final long STEPS = 1_000_000;
    private static final int NODES = 64;
    private static final int MAX_BYTES = 300_000;
    private static final long SPIKE_STEP = 654_321;
    private static final double SPIKE = 9.5;

    /** Steps of which all ranks tell; of those before only rank 0. */
    private static final int LAST = 60;

    /** Steps of which the samples are journalled too. */
    private static final int LEDGERS = 20_000;

    private static final long MAX_KEPT = 32 << 20;
    /** On a machine that has other work. */
    private static final double MAX_SECONDS = 60;

    private final long start = System.currentTimeMillis() - STEPS * 200;

    private Event.Step step(int rank, long step) {
        double loss = step == SPIKE_STEP ? SPIKE : 0.3 + 0.6 / (1 + step / 1e4) + 0.02 * Math.sin(step * 1.7);
        double compute = 0.15 + 0.01 * Math.sin(step * 0.9 + rank);
        return new Event.Step(
                start + step * 200,
                "trainer-" + rank,
                rank,
                NODES,
                1,
                step,
                step / 1e4,
                loss,
                0.4 + 0.1 * Math.sin(step * 0.3),
                1e-3 * (1 - step / 1.2e6),
                4_096,
                new Ledger(0.004, 0.006, 0.001, compute, 0.18 - compute, 0.012),
                Double.NaN);
    }

    private Event.RunStarted started() {
        return new Event.RunStarted(
                start, "main", "large", 0, 1_200_000, 4_096, 600_000_000, 12_800_000, NODES, "bf16", "", null, null);
    }

    private RunState run() {
        RunState state = new RunState();
        state.apply(started());
        for (int rank = 0; rank < NODES; rank++) {
            state.apply(new Event.Formed(start, "trainer-" + rank, 1, rank, NODES, NODES, rank, rank + 1, 1, ""));
        }
        for (long step = 1; step <= STEPS; step++) {
            int ranks = step > STEPS - LAST ? NODES : 1;
            for (int rank = 0; rank < ranks; rank++) {
                state.apply(step(rank, step));
            }
        }
        for (int node = 0; node < NODES; node++) {
            String name = "trainer-" + node;
            state.apply(new Event.Disk(start, name, "/runs/large", 1L << 40, 1L << 42));
            state.apply(SampleRun.onGpu(name, STEPS));
            state.apply(new Event.Input(
                    start + STEPS * 200,
                    name,
                    List.of("fetch", "read", "decode", "ready").stream()
                            .map(stage -> new Event.Input.Stage(stage, 64_000_000, 1L << 42, 81_234.56789, 12))
                            .toList(),
                    List.of(
                            new Event.Input.Source("web", 3_276_800_000L, 256.12),
                            new Event.Input.Source("books", 819_200_000L, 64.03))));
        }
        return state;
    }

    @Test
    void aMillionStepsOn64NodesStaySmooth() throws IOException, InterruptedException {
        RunState state = run();
        Tail loss = state.since(Cursor.START).curves().get("loss");
        int spike = loss.steps().indexOf(SPIKE_STEP);
        assertTrue(spike >= 0, "the step of the spike is not in the curve");
        assertEquals(SPIKE, loss.values().get(spike));

        ActorRef<MonitorActor.Command> large = kit.spawn(MonitorActor.create(state));
        URI address = Dashboard.start(kit.system(), "127.0.0.1", 0, large, new ImageArchive(run))
                .toCompletableFuture()
                .join();
        int bytes = firstEvent(address).getBytes(StandardCharsets.UTF_8).length;
        assertTrue(bytes < MAX_BYTES, "the first event has " + bytes + " bytes");

        shape(1280, 900, "light");
        browser.get(address.toString());
        await("progress-steps", "step 1,000,000 of 1,200,000 · epoch 100.00");
        assertDrawn("loss", "throughput", "rate", "norm");
        assertEquals(
                SPIKE,
                browser.executeScript(
                        "return Chart.getChart('chart-loss').data.datasets[1].data.find(p => p.x === arguments[0]).y",
                        SPIKE_STEP));
        visit("time");
        assertEquals(NODES, rows("pace"));
        assertEquals(NODES, rows("usage"));
        assertTrue(text("finding-time").startsWith("the 16 slowest of 64 ranks"), text("finding-time"));
        screenshot("large-time");
        visit("cluster");
        assertEquals(NODES + 1, rows("nodes"), "the trainers and main");
        large.tell(new MonitorActor.Record(step(0, STEPS + 1)));
        await("progress-steps", "step 1,000,001 of 1,200,000 · epoch 100.00");
        assertEquals(List.of(), consoleErrors());
        System.out.printf(
                "a million steps on %d nodes: first event %,d bytes, first paint after %s ms%n",
                NODES, bytes, firstPaint());
    }

    /** A resumed run and a node that takes over begin in this way; report and top read the same. */
    @Test
    void aJournalOfAMillionStepsIsOpenedAsAfterARestart() throws Exception {
        long began = System.nanoTime();
        try (Journal journal = Journal.open(run, "trainer-0")) {
            journal.append(started());
            for (long step = 1; step <= STEPS; step++) {
                if (step > STEPS - LEDGERS) {
                    journal.append(
                            new Event.Lease(start + step * 200, "trainer-0", 0, 1, step, 0, step * 4_096, 4_096));
                    journal.append(
                            new Event.Commit(start + step * 200, "trainer-0", 0, 1, step, 0, 1, "00ff00ff00ff00ff"));
                }
                journal.append(step(0, step));
            }
            assertEquals(STEPS + 2 * LEDGERS + 1, journal.appended());
        }
        double written = seconds(began);

        RunPlan plan = RunConfig.load("", List.of("name=large", "train.steps=1200000"))
                .config()
                .plan(run, true);
        long before = usedBytes();
        began = System.nanoTime();
        Past past = MonitorPast.of(plan, false, "main", alarm -> {});
        double opened = seconds(began);
        ActorRef<MonitorActor.Command> large = kit.spawn(MonitorActor.create(CompletableFuture.completedFuture(past)));
        URI address = Dashboard.start(kit.system(), "127.0.0.1", 0, large, new ImageArchive(run))
                .toCompletableFuture()
                .join();
        browser.get(address.toString());
        await("progress-steps", "step 1,000,000 of 1,200,000 · epoch 100.00");
        long kept = usedBytes() - before;
        assertTrue(kept < MAX_KEPT, "the monitor keeps " + kept + " bytes");
        assertDrawn("loss", "throughput", "rate", "norm");
        assertEquals(List.of(), consoleErrors());
        System.out.printf(
                "a journal of a million steps: written in %.1f s, read in %.1f s, first paint after %s ms, %,d bytes kept%n",
                written, opened, firstPaint(), kept);
        assertTrue(opened < MAX_SECONDS, "it took " + opened + " s to open");
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) * 1e-9;
    }

    private static long usedBytes() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private Object firstPaint() {
        return browser.executeScript(
                "return Math.round(performance.getEntriesByName('first-contentful-paint')[0].startTime)");
    }

    private int rows(String table) {
        return browser.findElements(By.cssSelector("#" + table + " tr")).size();
    }

    private static String firstEvent(URI address) throws IOException, InterruptedException {
        var response = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(address.resolve("/events")).build(), BodyHandlers.ofInputStream());
        try (var reader = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            String line = reader.readLine();
            while (!line.startsWith("data: ")) {
                line = reader.readLine();
            }
            return line;
        }
    }
}
