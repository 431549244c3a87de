package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.page.Dashboard;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What {@code /metrics} says of the cache and of the probes. */
@Timeout(60)
class MetricsTest {

    @TempDir
    private Path run;

    private final HttpClient client = HttpClient.newHttpClient();
    private ActorTestKit kit;
    private ActorRef<MonitorActor.Command> monitor;
    private URI page;
    private long millis = 1_000_000;
    private long step;

    @BeforeEach
    void start() {
        kit = ActorTestKit.create();
        monitor = kit.spawn(MonitorActor.create());
        page = Dashboard.start(kit.system(), "127.0.0.1", 0, monitor, new ImageArchive(run))
                .toCompletableFuture()
                .join();
    }

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    private void feed(Event event) {
        monitor.tell(new MonitorActor.Record(event));
    }

    private String get(String path) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(page.resolve(path)).build(), BodyHandlers.ofString())
                .body();
    }

    /** Values by series, of those whose names begin like that. */
    private Map<String, Double> metrics(String prefix) throws IOException, InterruptedException {
        Map<String, Double> metrics = new TreeMap<>();
        get("/metrics").lines().filter(line -> line.startsWith(prefix)).forEach(line -> {
            int end = line.lastIndexOf(' ');
            metrics.put(line.substring(0, end), Double.parseDouble(line.substring(end + 1)));
        });
        return metrics;
    }

    @Test
    void theCacheOfANodeIsCountedAndGoesWithIt() throws Exception {
        SampleRun.until(10).forEach(this::feed);
        assertEquals(Map.of(), metrics("rasterflow_cache_"));
        feed(SampleRun.cache("trainer-0", 9, 1_000));
        feed(SampleRun.cache("trainer-0", 10, 31_000_000_000L));
        feed(new Event.Cache(SampleRun.at(10), "trainer-1", "/data/cache", 12_000_000_000L, 0, 12, 0, 0, 0, 0, 0, 0));
        String first = "{directory=\"/data/cache\",node=\"trainer-0\"}";
        String second = "{directory=\"/data/cache\",node=\"trainer-1\"}";
        Map<String, Double> said = metrics("rasterflow_cache_");
        assertEquals(90, said.get("rasterflow_cache_hits_total" + first));
        assertEquals(10, said.get("rasterflow_cache_misses_total" + first));
        assertEquals(3, said.get("rasterflow_cache_evictions_total" + first));
        assertEquals(31e9, said.get("rasterflow_cache_fetched_bytes_total" + first));
        assertEquals(1, said.get("rasterflow_cache_retries_total" + first));
        assertEquals(12e9, said.get("rasterflow_cache_held_bytes" + first));
        assertEquals(20e9, said.get("rasterflow_cache_limit_bytes" + first));
        assertEquals(12, said.get("rasterflow_cache_shards" + first));
        assertEquals(2, said.get("rasterflow_cache_filling_shards" + first));
        assertEquals(0.9, said.get("rasterflow_cache_hit_ratio" + first), 1e-12);
        assertEquals(0, said.get("rasterflow_cache_hits_total" + second));
        assertTrue(!said.containsKey("rasterflow_cache_hit_ratio" + second), "nothing was asked for");
        String text = get("/metrics");
        for (String name : List.of("hits", "misses", "evictions", "fetched_bytes", "retries")) {
            assertTrue(text.contains("# TYPE rasterflow_cache_" + name + "_total counter\n"), name);
        }
        for (String name : List.of("held_bytes", "limit_bytes", "shards", "filling_shards", "hit_ratio")) {
            assertTrue(text.contains("# TYPE rasterflow_cache_" + name + " gauge\n"), name);
        }

        feed(new Event.Membership(SampleRun.at(11), "main", "trainer-0", "down", 1, 2, "unreachable"));
        Map<String, Double> left = metrics("rasterflow_cache_");
        assertTrue(left.keySet().stream().allMatch(series -> series.contains("trainer-1")), left.toString());
        assertEquals(9, left.size(), left.toString());
    }

    private void steps(int count, long each) {
        for (int i = 0; i < count; i++) {
            millis += each;
            Ledger ledger = new Ledger(0, 0, 0, each / 1e3, 0, 0);
            feed(new Event.Step(millis, "main", 0, 1, 1, step, 0, 0.5, 1, 1e-3, 64, ledger, Double.NaN));
            step++;
        }
    }

    private void usage(double machineCpu) {
        feed(new Event.Usage(millis, "main", machineCpu / 2, machineCpu, 4, -1, -1, -1, -1, -1, List.of()));
    }

    @Test
    void theProbesTellWhatTheyCost() throws Exception {
        assertEquals(0, metrics("rasterflow_probes_total").get("rasterflow_probes_total"));
        assertEquals(Map.of(), metrics("rasterflow_probe_slowdown_ratio"), "not known yet");
        feed(SampleRun.started(0));
        steps(50, 900);
        for (long slow : new long[] {140, 160}) {
            usage(0.5);
            steps(40, 100);
            usage(0.5);
            steps(40, slow);
            double seconds = 40 * slow / 1e3;
            feed(new Event.Probe(
                    millis,
                    "main",
                    step,
                    "attentive",
                    0.5,
                    0.5,
                    500,
                    100,
                    seconds,
                    "",
                    1,
                    false,
                    List.of(),
                    0.75 * seconds));
            steps(40, 100);
        }
        steps(40, 100);
        JsonNode cost = new ObjectMapper().readTree(get("/api/status")).get("probeCost");
        Map<String, Double> said = metrics("rasterflow_probe");
        assertEquals(2, said.get("rasterflow_probes_total"));
        assertEquals(12, said.get("rasterflow_probe_seconds_total"), 1e-9);
        assertEquals(9, said.get("rasterflow_probe_cpu_seconds_total"), 1e-9);
        assertEquals(0.5, said.get("rasterflow_probe_slowdown_ratio"), 0.02);
        assertEquals(cost.at("/slowdown/value").doubleValue(), said.get("rasterflow_probe_slowdown_ratio"));
        assertEquals(cost.at("/lost/value").doubleValue(), said.get("rasterflow_probe_lost_ratio"));
        assertEquals(0.15, said.get("rasterflow_probe_step_seconds{when=\"during\"}"), 0.002);
        assertEquals(0.1, said.get("rasterflow_probe_step_seconds{when=\"around\"}"), 0.002);
        assertEquals(2, said.get("rasterflow_probe_idle_cores"), 1e-9);
        String text = get("/metrics");
        assertTrue(text.contains("# TYPE rasterflow_probe_seconds_total counter\n"), text);
        assertTrue(text.contains("# TYPE rasterflow_probe_lost_ratio gauge\n"), text);
    }
}
