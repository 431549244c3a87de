package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.monitoring.action.RunActions;
import io.rasterflow.monitoring.compare.Comparison;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.Thumbnails;
import io.rasterflow.monitoring.page.Dashboard;
import io.rasterflow.monitoring.page.DashboardException;
import io.rasterflow.monitoring.page.Succession;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The page over real HTTP. */
@SuppressWarnings("AddressSelection") // addresses are given as numbers
@Timeout(60)
class DashboardTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern SAMPLE =
            Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*(?:\\{[^}]*\\})?) (NaN|[+-]Inf|[-+0-9.eE]+)");

    @TempDir
    private Path run;

    private final HttpClient client = HttpClient.newHttpClient();
    private ActorTestKit kit;
    private ActorRef<MonitorActor.Command> monitor;
    private URI page;

    @BeforeEach
    void start() {
        kit = ActorTestKit.create();
        monitor = kit.spawn(MonitorActor.create());
        page = serve("127.0.0.1", 0);
    }

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    private URI serve(String host, int port) {
        return Dashboard.start(kit.system(), host, port, monitor, new ImageArchive(run))
                .toCompletableFuture()
                .join();
    }

    private void feed(List<Event> events) {
        events.forEach(event -> monitor.tell(new MonitorActor.Record(event)));
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(page.resolve(path)).build(), BodyHandlers.ofString());
    }

    @Test
    void servesThePageAndAllThatItNeeds() throws Exception {
        HttpResponse<String> html = get("/");
        assertEquals(200, html.statusCode());
        assertEquals(
                "text/html; charset=UTF-8",
                html.headers().firstValue("content-type").orElseThrow());
        Matcher links = Pattern.compile("(?:src|href)=\"([^\"]+)\"").matcher(html.body());
        Set<String> files = new HashSet<>();
        while (links.find()) {
            assertFalse(links.group(1).contains("//"), "the page asks another server: " + links.group(1));
            if (!links.group(1).startsWith("#")) {
                files.add(links.group(1));
            }
        }
        assertTrue(
                files.containsAll(Set.of("page.css", "page.js", "views.js", "chart.umd.js", "favicon.svg")),
                files.toString());
        Deque<String> unread = new ArrayDeque<>(files);
        while (!unread.isEmpty()) {
            String file = unread.pop();
            HttpResponse<String> response = get("/" + file);
            assertEquals(200, response.statusCode(), file);
            assertTrue(response.body().length() > 100, file);
            Matcher imports = Pattern.compile("from '\\./([^']+)'").matcher(response.body());
            while (imports.find()) {
                if (files.add(imports.group(1))) {
                    unread.push(imports.group(1));
                }
            }
        }
        assertTrue(files.containsAll(Set.of("charts.js", "export.js", "science.js")), files.toString());
        assertEquals(404, get("/missing").statusCode());
        assertEquals(404, get("/../../etc/passwd").statusCode());
        assertEquals(404, get("/page.css/").statusCode());
        assertEquals("ok\n", get("/healthz").body());
    }

    @Test
    void servesThePicturesOfTheRunAndNothingElseOfIt() throws Exception {
        assertEquals("{\"steps\":[]}", get("/api/images").body(), "before the first picture");
        SampleImages.write(new ImageArchive(run), 600);
        SampleImages.write(new ImageArchive(run), 0);
        assertEquals("{\"steps\":[0,600]}", get("/api/images").body());
        URI picture = page.resolve("/images/step-00000600/sheet.png");
        HttpResponse<byte[]> png = client.send(HttpRequest.newBuilder(picture).build(), BodyHandlers.ofByteArray());
        assertEquals(200, png.statusCode());
        assertEquals("image/png", png.headers().firstValue("content-type").orElseThrow());
        assertEquals(
                "nosniff", png.headers().firstValue("x-content-type-options").orElseThrow());
        assertArrayEquals(Files.readAllBytes(run.resolve("images/step-00000600/sheet.png")), png.body());
        HttpResponse<String> about = get("/images/step-00000600/sheet.json");
        assertEquals(
                "application/json", about.headers().firstValue("content-type").orElseThrow());
        assertEquals(7, JSON.readTree(about.body()).at("/images/0/label").intValue());
        assertTrue(JSON.readTree(about.body()).at("/images/0/losses/0").isNull());

        Files.writeString(run.resolve("config.conf"), "secret");
        for (String path : List.of(
                "/images/",
                "/images/step-00000600",
                "/images/step-00000600/",
                "/images/step-00001200/sheet.png",
                "/images/step-600/sheet.png",
                "/images/../config.conf",
                "/images/step-00000600/../../config.conf",
                "/images/%2e%2e/config.conf",
                "/images/..%2fconfig.conf",
                "/images/step-00000600%2f..%2f..%2fconfig.conf",
                "/images/step-00000600/..%5c..%5cconfig.conf",
                "/images//config.conf",
                "/images/config.conf",
                "/images/step-00000600/sheet.png%00",
                "/images/" + run + "/config.conf")) {
            assertEquals("404", statusOf(page, path, "Host: localhost"), path);
        }
    }

    @Test
    void servesPicturesOfBadSamplesThatAreOnesAndNothingElse() throws Exception {
        Event.Thumbnail picture = SampleRun.thumbnail(8, 1);
        Event.BadSample none = SampleRun.badSample(8, 2);
        String html = Base64.getEncoder().encodeToString("<script>alert(1)</script>".getBytes(StandardCharsets.UTF_8));
        feed(List.of(
                SampleRun.badSample(8, 1),
                none,
                picture,
                new Event.Thumbnail(1, "trainer-1", none.shard(), none.key(), html)));
        JsonNode status = JSON.readTree(get("/api/status").body());
        assertEquals("k2", status.at("/quarantine/0/key").asText());
        assertEquals("", status.at("/thumbnails/0").asText());
        String name = status.at("/thumbnails/1").asText();
        URI address = page.resolve("/quarantine/" + name + ".png");
        HttpResponse<byte[]> png = client.send(HttpRequest.newBuilder(address).build(), BodyHandlers.ofByteArray());
        assertEquals(200, png.statusCode());
        assertEquals("image/png", png.headers().firstValue("content-type").orElseThrow());
        assertArrayEquals(Base64.getDecoder().decode(picture.png()), png.body());
        for (String path : List.of(
                "/quarantine/",
                "/quarantine/" + name,
                "/quarantine/" + name + ".html",
                "/quarantine/" + Thumbnails.name(none.shard(), none.key()) + ".png",
                "/quarantine/../config.conf")) {
            assertEquals(404, get(path).statusCode(), path);
        }
    }

    @Test
    void everyAnswerIsLockedDown() throws Exception {
        for (String path : List.of("/", "/page.js", "/api/status", "/metrics", "/healthz", "/missing")) {
            var headers = get(path).headers();
            String policy = headers.firstValue("content-security-policy").orElseThrow();
            assertTrue(policy.contains("default-src 'none'") && !policy.contains("unsafe"), policy);
            assertEquals("nosniff", headers.firstValue("x-content-type-options").orElseThrow());
            assertTrue(headers.firstValue("access-control-allow-origin").isEmpty());
        }
        for (String method : List.of("POST", "PUT", "DELETE", "OPTIONS")) {
            HttpRequest request = HttpRequest.newBuilder(page)
                    .method(method, HttpRequest.BodyPublishers.ofString("x=1"))
                    .build();
            HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
            assertEquals(405, response.statusCode(), method);
            assertEquals("GET", response.headers().firstValue("allow").orElseThrow());
        }
    }

    @Test
    void refusesTheNameOfAnotherHost() throws Exception {
        assertEquals("200", statusFor(page, "Host: 127.0.0.1:" + page.getPort()));
        assertEquals("200", statusFor(page, "Host: localhost:9"));
        assertEquals("200", statusFor(page, "Host: [::1]:80"));
        assertEquals("421", statusFor(page, "Host: evil.example"));
        assertEquals("421", statusFor(page, "Host: evil.example:" + page.getPort()));
        assertEquals("421", statusFor(page, "Host: 127.0.0.1.evil.example"));
        assertEquals("421", statusFor(page, "Host: 10.0.0.1"));
        assertFalse(statusFor(page, "X-Nothing: 1").startsWith("2"), "a request without a host");

        URI open = serve("0.0.0.0", 0);
        URI local = URI.create("http://127.0.0.1:" + open.getPort() + "/");
        assertEquals("200", statusFor(local, "Host: 10.0.0.1"));
        assertEquals("200", statusFor(local, "Host: " + open.getHost()));
        assertEquals("421", statusFor(local, "Host: evil.example"));
    }

    /** Status of a request with exactly this header, which java.net.http would not send. */
    private static String statusFor(URI page, String header) throws IOException {
        return statusOf(page, "/api/status", header);
    }

    /** The same for exactly this path. */
    private static String statusOf(URI page, String path, String header) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", page.getPort())) {
            String request = "GET " + path + " HTTP/1.1\r\n" + header + "\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            var reader = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            return reader.readLine().split(" ", 3)[1];
        }
    }

    @Test
    void aRunIsChangedFromItsOwnMachineOnly() throws Exception {
        RunActions unreachable = request -> {
            throw new AssertionError("asked for " + request);
        };
        String asked = "{\"action\":\"pause\"}";
        for (String host : List.of("127.0.0.1", "0.0.0.0")) {
            Optional<RunActions> actions = host.equals("0.0.0.0") ? Optional.of(unreachable) : Optional.empty();
            URI there = Dashboard.start(
                            kit.system(),
                            host,
                            0,
                            monitor,
                            new ImageArchive(run),
                            Comparison.NONE,
                            actions,
                            Succession.NONE)
                    .toCompletableFuture()
                    .join();
            URI local = URI.create("http://127.0.0.1:" + there.getPort() + "/api/actions");
            HttpResponse<String> refused = client.send(
                    HttpRequest.newBuilder(local)
                            .header("Content-Type", "application/json")
                            .header("X-Rasterflow-Action", "1")
                            .POST(HttpRequest.BodyPublishers.ofString(asked))
                            .build(),
                    BodyHandlers.ofString());
            assertEquals(403, refused.statusCode(), host);
            assertEquals(1, refused.body().lines().count(), refused.body());
            JsonNode known =
                    JSON.readTree(client.send(HttpRequest.newBuilder(local).build(), BodyHandlers.ofString())
                            .body());
            assertFalse(known.get("available").booleanValue());
            assertEquals(refused.body().strip(), known.get("reason").textValue());
        }
    }

    @Test
    void statusIsJsonWithNullForWhatIsNotKnown() throws Exception {
        JsonNode empty = JSON.readTree(get("/api/status").body());
        assertEquals("waiting", empty.get("state").textValue());
        assertTrue(empty.get("loss").isNull());
        assertTrue(empty.at("/correlation/pearson").isNull());
        feed(SampleRun.until(10));
        JsonNode status = JSON.readTree(get("/api/status").body());
        assertEquals(10, status.get("step").intValue());
        assertEquals(SampleRun.step(0, 10).loss(), status.get("loss").doubleValue());
        assertEquals(0.001, status.at("/ranks/0/recent/wait").doubleValue(), 1e-9);
        assertTrue(status.at("/ranks/0/slowdown").isNull());
        assertEquals(0, status.get("slowRanks").size());
        LongStream.rangeClosed(11, 60).forEach(step -> feed(SampleRun.held(step, 0.1)));
        JsonNode slow = JSON.readTree(get("/api/status").body()).at("/slowRanks/0");
        assertEquals(1, slow.get("rank").intValue());
        assertEquals("trainer-1", slow.get("node").textValue());
        assertEquals(1.6, slow.get("ratio").doubleValue(), 0.05);
        assertEquals("input wait", slow.get("part").textValue());
    }

    @Test
    void metricsArePrometheusText() throws Exception {
        assertEquals(200, get("/metrics").statusCode(), "before the first event");
        feed(SampleRun.until(200));
        feed(List.of(SampleRun.badSample(200, 1)));
        for (int images : new int[] {410, 820}) {
            feed(List.of(new Event.Input(
                    SampleRun.at(200),
                    "trainer-0",
                    List.of(new Event.Input.Stage("decode", images, 1L << 33, 1.5, 3)),
                    List.of(new Event.Input.Source("web", images, images / 1000.0)))));
        }
        feed(List.of(new Event.Probe(SampleRun.at(200), "main", 200, "knn", 0.25, 1, 500, 100, 1, "pets", 1)));
        feed(List.of(SampleRun.usage("trainer-0", 200, 0.5), SampleRun.onGpu("trainer-1", 200)));
        HttpResponse<String> response = get("/metrics");
        String type = response.headers().firstValue("content-type").orElseThrow();
        assertTrue(type.startsWith("text/plain") && type.contains("version=0.0.4"), type);
        Map<String, Double> metrics = new HashMap<>();
        for (String line : response.body().lines().toList()) {
            if (!line.startsWith("#")) {
                Matcher sample = SAMPLE.matcher(line);
                assertTrue(sample.matches(), line);
                String value = sample.group(2).replace("Inf", "Infinity");
                metrics.put(sample.group(1), Double.parseDouble(value));
            }
        }
        assertEquals(SampleRun.step(0, 200).loss(), metrics.get("rasterflow_loss"), 1e-12);
        assertEquals(SampleRun.validationLoss(200), metrics.get("rasterflow_validation_loss"), 1e-12);
        assertEquals(SampleRun.probe(200).accuracy(), metrics.get("rasterflow_probe_accuracy_ratio"), 1e-12);
        assertEquals(0.25, metrics.get("rasterflow_probe_set_accuracy_ratio{kind=\"knn\",set=\"pets\"}"));
        assertEquals(SampleRun.step(0, 200).learningRate(), metrics.get("rasterflow_learning_rate"), 1e-12);
        assertEquals(SampleRun.step(0, 200).noiseScale(), metrics.get("rasterflow_gradient_noise_scale_images"), 1e-9);
        assertEquals(1_280, metrics.get("rasterflow_images_per_second"), 1);
        assertEquals(200, metrics.get("rasterflow_steps_total"));
        assertEquals(51_200, metrics.get("rasterflow_images_total"));
        assertEquals(1, metrics.get("rasterflow_bad_samples_total"));
        assertEquals(2, metrics.get("rasterflow_world_size"));
        assertEquals(1, metrics.get("rasterflow_generation"));
        assertEquals(
                1, metrics.get("rasterflow_rank_slowdown_ratio{node=\"trainer-1\",rank=\"1\"}"), 0.05, "as the other");
        assertEquals(
                200 * 0.008,
                metrics.get("rasterflow_step_seconds_total{node=\"trainer-1\",part=\"decode\",rank=\"1\"}"),
                1e-6);
        assertTrue(metrics.keySet().stream().anyMatch(name -> name.startsWith("jvm_memory_used_bytes{area=\"heap\"")));
        String decode = "{node=\"trainer-0\",stage=\"decode\"}";
        assertEquals(820, metrics.get("rasterflow_input_items_total" + decode));
        assertEquals(8_589_934_592.0, metrics.get("rasterflow_input_bytes_total" + decode));
        assertEquals(1.5, metrics.get("rasterflow_input_seconds_total" + decode));
        assertEquals(3, metrics.get("rasterflow_input_depth" + decode));
        assertEquals(820, metrics.get("rasterflow_source_images_total{source=\"web\"}"));
        assertTrue(response.body().contains("# TYPE rasterflow_source_images_total counter"));
        assertEquals(0.82, metrics.get("rasterflow_source_epoch{source=\"web\"}"));
        assertEquals(0.5, metrics.get("rasterflow_node_cpu_ratio{node=\"trainer-0\"}"));
        assertEquals(0.9, metrics.get("rasterflow_node_machine_cpu_ratio{node=\"trainer-0\"}"));
        assertEquals(8, metrics.get("rasterflow_node_cores{node=\"trainer-0\"}"));
        assertEquals(3e9, metrics.get("rasterflow_node_resident_bytes{node=\"trainer-0\"}"));
        assertEquals(16e9, metrics.get("rasterflow_node_memory_bytes{node=\"trainer-0\"}"));
        assertEquals(12e9, metrics.get("rasterflow_node_available_bytes{node=\"trainer-0\"}"));
        assertEquals(5e8, metrics.get("rasterflow_node_heap_bytes{node=\"trainer-0\"}"));
        assertEquals(4e9, metrics.get("rasterflow_node_heap_max_bytes{node=\"trainer-0\"}"));
        assertEquals(6e10, metrics.get("rasterflow_node_gpu_used_bytes{device=\"cuda:0\",node=\"trainer-1\"}"));
        assertEquals(8e10, metrics.get("rasterflow_node_gpu_memory_bytes{device=\"cuda:0\",node=\"trainer-1\"}"));
        assertFalse(metrics.containsKey("rasterflow_node_memory_bytes{node=\"trainer-1\"}"), "it is not known");
        assertTrue(response.body().contains("# TYPE rasterflow_steps_total counter"));
        assertTrue(response.body().contains("# TYPE rasterflow_loss gauge"));
    }

    @Test
    void whatANodeTakesIsInTheStatusAndGoesWithTheNode() throws Exception {
        feed(SampleRun.until(10));
        feed(List.of(SampleRun.usage("trainer-0", 10, 0.5), SampleRun.onGpu("trainer-1", 10)));
        JsonNode usages = JSON.readTree(get("/api/status").body()).get("usages");
        assertEquals(0.5, usages.at("/0/processCpu").doubleValue());
        assertTrue(usages.at("/1/machineCpu").isNull(), "it is not known");
        assertEquals(60_000_000_000L, usages.at("/1/gpus/0/usedBytes").longValue());
        assertTrue(get("/metrics").body().contains("rasterflow_node_gpu_used_bytes{"));
        feed(List.of(new Event.Membership(SampleRun.at(11), "main", "trainer-1", "down", 1, 2, "unreachable")));
        String metrics = get("/metrics").body();
        assertTrue(metrics.contains("rasterflow_node_cores{node=\"trainer-0\"} 8.0\n"), metrics);
        assertTrue(metrics.lines().noneMatch(line -> line.startsWith("rasterflow_node_gpu_used_bytes{")), metrics);
    }

    @Test
    void theSlowdownOfARankGoesWithTheRank() throws Exception {
        feed(SampleRun.until(19));
        assertEquals(List.of(), slowdowns(), "too few steps");
        feed(List.of(SampleRun.step(0, 20), SampleRun.step(1, 20), SampleRun.step(0, 21), SampleRun.step(1, 21)));
        assertEquals(
                List.of("{node=\"trainer-0\",rank=\"0\"}", "{node=\"trainer-1\",rank=\"1\"}"),
                slowdowns().stream()
                        .map(line -> line.substring(line.indexOf('{'), line.indexOf('}') + 1))
                        .toList());
        assertTrue(get("/metrics").body().contains("# TYPE rasterflow_rank_slowdown_ratio gauge"));
        feed(List.of(new Event.Membership(SampleRun.at(21), "coordinator", "", "generation", 2, 1, "")));
        assertEquals(List.of(), slowdowns(), "nobody to compare with");
    }

    @Test
    void theSecondsOfARankGoWithItToAnotherNode() throws Exception {
        feed(SampleRun.until(20));
        Event.Step step = SampleRun.step(1, 21);
        assertEquals(List.of("trainer-1"), nodesOfRank1());
        feed(List.of(new Event.Step(
                step.timeMillis(), "spare", 1, 2, 1, 21, 1, 0.5, 1, 0.1, 256, step.ledger(), Double.NaN)));
        assertEquals(List.of("spare"), nodesOfRank1());
        String decode = "rasterflow_step_seconds_total{node=\"spare\",part=\"decode\",rank=\"1\"} ";
        String line = get("/metrics")
                .body()
                .lines()
                .filter(text -> text.startsWith(decode))
                .findFirst()
                .orElseThrow();
        assertEquals(21 * 0.008, Double.parseDouble(line.substring(decode.length())), 1e-6);
    }

    /** Those whose name is on the seconds of its steps. */
    private List<String> nodesOfRank1() throws IOException, InterruptedException {
        return Pattern.compile("(?m)^rasterflow_step_seconds_total\\{node=\"([^\"]*)\".*rank=\"1\"}")
                .matcher(get("/metrics").body())
                .results()
                .map(found -> found.group(1))
                .distinct()
                .toList();
    }

    @Test
    void alarmsAreInTheStatusAndMetrics() throws Exception {
        feed(SampleRun.until(10));
        feed(List.of(
                SampleRun.alarm("loss-spike", "", true, 9, 0.9),
                SampleRun.alarm("straggler", "rank 0", true, 9, 1.5),
                SampleRun.alarm("straggler", "rank 1", true, 10, 1.5),
                SampleRun.alarm("straggler", "rank 0", false, 10, 1)));
        JsonNode alarms = JSON.readTree(get("/api/status").body()).get("alarms");
        assertEquals(2, alarms.size());
        assertEquals("rank 1", alarms.at("/1/subject").textValue());
        assertTrue(alarms.at("/0/text").textValue().startsWith("the loss of step 9"));
        String metrics = get("/metrics").body();
        assertTrue(metrics.contains("# TYPE rasterflow_alarm_active gauge"), metrics);
        assertTrue(metrics.contains("rasterflow_alarm_active{alarm=\"loss-spike\"} 1.0\n"), metrics);
        assertTrue(metrics.contains("rasterflow_alarm_active{alarm=\"straggler\"} 1.0\n"), metrics);
        assertTrue(metrics.contains("rasterflow_alarm_active{alarm=\"disk\"} 0.0\n"), metrics);
        feed(List.of(SampleRun.alarm("straggler", "rank 1", false, 10, 1)));
        assertTrue(get("/metrics").body().contains("rasterflow_alarm_active{alarm=\"straggler\"} 0.0\n"));
    }

    private List<String> slowdowns() throws IOException, InterruptedException {
        return get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith("rasterflow_rank_slowdown_ratio"))
                .sorted()
                .toList();
    }

    @Test
    void eventsBeginWithASnapshotAndGoOnLive() throws Exception {
        feed(SampleRun.until(5_000));
        HttpResponse<InputStream> response =
                client.send(HttpRequest.newBuilder(page.resolve("/events")).build(), BodyHandlers.ofInputStream());
        assertEquals(
                "text/event-stream",
                response.headers().firstValue("content-type").orElseThrow().split(";", 2)[0]);
        try (var reader = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            JsonNode snapshot = next(reader, "snapshot");
            assertTrue(snapshot.at("/run/full").booleanValue());
            assertEquals(5_000, snapshot.at("/run/status/step").intValue());
            int points = snapshot.at("/run/curves/loss/steps").size();
            assertTrue(points > 400 && points <= 1_200, "points " + points);
            assertTrue(snapshot.at("/run/events").size() > 10);

            feed(List.of(SampleRun.step(0, 5_001), SampleRun.checkpoint(5_001)));
            JsonNode live = next(reader, "update");
            assertEquals(5_001, live.at("/run/status/step").intValue());
            JsonNode steps = live.at("/run/curves/loss/steps");
            assertEquals(5_001, steps.get(steps.size() - 1).intValue());
            assertTrue(steps.size() <= 4, "an update holds no more than what changed");
            assertEquals("checkpoint", live.at("/run/events/0/kind").textValue());
        }
    }

    private static JsonNode next(BufferedReader reader, String event) throws IOException {
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            if (line.equals("event: " + event)) {
                String data = reader.readLine();
                assertTrue(data.startsWith("data: "), data);
                return JSON.readTree(data.substring(6));
            }
        }
        throw new AssertionError("the stream ended before an event " + event);
    }

    @Test
    void aReaderThatDoesNotReadHoldsUpNobody() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", page.getPort())) {
            socket.setReceiveBufferSize(4_096);
            socket.getOutputStream()
                    .write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            feed(SampleRun.until(20_000));
            assertEquals(
                    20_000, JSON.readTree(get("/api/status").body()).get("step").intValue());
        }
    }

    @Test
    void aBusyPortGivesOneClearLine() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = taken.getLocalPort();
            var failure = assertThrows(CompletionException.class, () -> serve("127.0.0.1", port));
            assertEquals(DashboardException.class, failure.getCause().getClass());
            assertEquals(
                    "cannot serve the page on 127.0.0.1:" + port
                            + ": the port is in use; choose another with monitor.port=0",
                    failure.getCause().getMessage());
        }
        var elsewhere = assertThrows(CompletionException.class, () -> serve("192.0.2.1", 0));
        String message = elsewhere.getCause().getMessage();
        assertTrue(message.startsWith("cannot serve the page on 192.0.2.1:0: "), message);
        assertTrue(message.endsWith("choose an address of this machine with monitor.host=127.0.0.1"), message);
        assertFalse(message.contains("\n"));
    }
}
