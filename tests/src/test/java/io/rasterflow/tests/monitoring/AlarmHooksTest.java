package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.rasterflow.monitoring.alarm.AlarmConfig;
import io.rasterflow.monitoring.alarm.AlarmHooks;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.tests.LogLines;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A real server and real programs are told of alarms. */
@Timeout(60)
class AlarmHooksTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SECRET = "services/t0ken";

    private record Request(String method, String path, String type, String body) {}

    @TempDir
    Path folder;

    private final BlockingQueue<Request> requests = new LinkedBlockingQueue<>();
    private final CountDownLatch open = new CountDownLatch(1);
    private final LogLines logs = new LogLines();
    private final List<AlarmHooks> started = new ArrayList<>();
    private HttpServer server;

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> answer(exchange, 204));
        server.createContext("/broken/", exchange -> answer(exchange, 500));
        server.createContext("/elsewhere/", exchange -> {
            exchange.getResponseHeaders().add("Location", "/followed");
            answer(exchange, 302);
        });
        server.createContext("/hangs/", exchange -> {
            awaitOpen();
            answer(exchange, 204);
        });
        server.start();
    }

    private void awaitOpen() {
        try {
            assertTrue(open.await(60, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void answer(HttpExchange exchange, int status) throws IOException {
        requests.add(new Request(
                exchange.getRequestMethod(),
                exchange.getRequestURI().getPath(),
                exchange.getRequestHeaders().getFirst("Content-Type"),
                new String(exchange.getRequestBody().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)));
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    @AfterEach
    void stop() {
        open.countDown();
        started.forEach(AlarmHooks::close);
        server.stop(0);
        logs.close();
    }

    private AlarmHooks hooks(String... overrides) {
        AlarmHooks hooks = new AlarmHooks(WatchedRun.config(overrides), "watched");
        started.add(hooks);
        return hooks;
    }

    private String url(String path) {
        return "monitor.alarms.webhook=http://127.0.0.1:" + server.getAddress().getPort() + path + SECRET;
    }

    private static Event.Alarm alarm(long step) {
        return new Event.Alarm(
                5, "main", "loss-spike", "", true, step, 0.9, 0.5, "the loss of step 8 is \"0.9\", ü", "try");
    }

    private String logged(int lines) {
        Awaitility.await()
                .atMost(60, TimeUnit.SECONDS)
                .until(() -> logs.of("io.rasterflow.monitoring.alarm").size() >= lines);
        return String.join("\n", logs.of("io.rasterflow.monitoring.alarm"));
    }

    @Test
    void aWebhookIsSentTheAlarmAsJson() throws Exception {
        hooks(url("/")).tell(alarm(8));
        Request request = requests.poll(30, TimeUnit.SECONDS);
        assertNotNull(request);
        assertEquals(
                List.of("POST", "/" + SECRET, "application/json"),
                List.of(request.method(), request.path(), request.type()));
        JsonNode json = JSON.readTree(request.body());
        assertEquals("watched", json.get("run").textValue());
        assertEquals("alarm", json.get("type").textValue());
        assertEquals("loss-spike", json.get("alarm").textValue());
        assertTrue(json.get("raised").booleanValue());
        assertEquals(8, json.get("step").intValue());
        assertEquals(alarm(8).text(), json.get("text").textValue());
    }

    @Test
    void aWebhookThatFailsIsOneLineWithoutItsSecret() throws Exception {
        hooks(url("/broken/")).tell(alarm(1));
        assertEquals("the webhook at 127.0.0.1 was not told of the alarm loss-spike: it answered 500", logged(1));
        hooks(url("/elsewhere/")).tell(alarm(2));
        assertTrue(logged(2).endsWith("it answered 302"), logged(2));
        server.stop(0);
        hooks(url("/")).tell(alarm(3));
        assertTrue(logged(3).endsWith("ConnectException"), logged(3));
        assertFalse(logged(3).contains("t0ken"), logged(3));
        assertEquals(2, requests.size(), "no redirection is followed");
    }

    @Test
    void whoeverRaisesAlarmsIsNotHeldUpByAWebhookThatHangs() throws Exception {
        AlarmHooks hooks = hooks(url("/hangs/"), "monitor.alarms.hookMillis=600000");
        for (int i = 0; i < 100; i++) {
            hooks.tell(alarm(i));
        }
        assertEquals(1, logs.of("io.rasterflow.monitoring.alarm").size(), "that some are dropped is said once");
        assertEquals(0, requests.size());
        open.countDown();
        // One is on its way and 64 wait.
        for (int i = 0; i < 65; i++) {
            Request request = requests.poll(30, TimeUnit.SECONDS);
            assertEquals(i, JSON.readTree(request.body()).get("step").intValue());
        }
        hooks.close();
        assertEquals(0, requests.size());
    }

    @Test
    void aWebhookThatTakesTooLongIsGivenUp() throws Exception {
        hooks(url("/hangs/"), "monitor.alarms.hookMillis=50").tell(alarm(1));
        String line = logged(1);
        assertTrue(line.endsWith("no answer within 50 ms") || line.endsWith("HttpTimeoutException"), line);
    }

    private static String command(String script, Object... arguments) {
        StringBuilder list = new StringBuilder("monitor.alarms.command=[\"/bin/sh\",\"-c\",\"" + script + "\"");
        for (Object argument : arguments) {
            list.append(",\"").append(argument).append('"');
        }
        return list.append(']').toString();
    }

    private static String written(Path file) throws Exception {
        Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> Files.exists(file));
        return Files.readString(file);
    }

    @Test
    void aProgramReadsTheAlarmFromItsInput() throws Exception {
        Path told = folder.resolve("told");
        hooks(command("cat > $0.part && mv $0.part $0", told)).tell(alarm(8));
        JsonNode json = JSON.readTree(written(told));
        assertEquals("watched", json.get("run").textValue());
        assertEquals(alarm(8).text(), json.get("text").textValue());
    }

    @Test
    void aProgramThatFailsIsOneLineWithoutItsArguments() throws Exception {
        hooks(command("exit 3", SECRET)).tell(alarm(1));
        assertEquals("the command /bin/sh was not told of the alarm loss-spike: exit code 3", logged(1));
        hooks("monitor.alarms.command=[/no/such/program, " + SECRET + "]").tell(alarm(2));
        assertTrue(
                logged(2)
                        .endsWith(
                                "the command /no/such/program was not told of the alarm loss-spike: it cannot be started; check its"
                                        + " path and that it may be executed"),
                logged(2));
        assertFalse(logged(2).contains("t0ken"), logged(2));
    }

    @Test
    void aNodeThatIsSentTheValuesStartsNoProgram() {
        AlarmConfig sent = WatchedRun.config(command("exit 0"), url("/"), "monitor.alarms.off=[plateau]");
        AlarmConfig own = sent.withoutCommand();
        assertEquals(List.of(), own.command());
        assertEquals(WatchedRun.config(url("/"), "monitor.alarms.off=[plateau]"), own);
    }

    @Test
    void aProgramThatHangsIsEnded() throws Exception {
        Path pid = folder.resolve("pid");
        hooks(command("echo $$ > $0.part; mv $0.part $0; exec sleep 600", pid), "monitor.alarms.hookMillis=2000")
                .tell(alarm(1));
        long process = Long.parseLong(written(pid).strip());
        assertTrue(logged(1).endsWith("it was ended after 2000 ms"), logged(1));
        ProcessHandle.of(process).ifPresent(handle -> handle.onExit().join());
    }

    @Test
    void anEndWaitsForTheLastAlarm() {
        AlarmHooks hooks = hooks(url("/"));
        hooks.tell(alarm(1));
        hooks.close();
        assertEquals(1, requests.size());
        hooks.tell(alarm(2));
        assertEquals(1, logs.of("io.rasterflow.monitoring.alarm").size(), "too late is said");
    }

    @Test
    void anAddressMayStandInTheEnvironment() {
        AlarmConfig absent = WatchedRun.config("monitor.alarms.webhook=\"env:RASTERFLOW_NO_SUCH_VARIABLE\"");
        var refused = assertThrows(IllegalArgumentException.class, () -> new AlarmHooks(absent, "watched"));
        assertEquals(
                "monitor.alarms.webhook is to be in the environment variable RASTERFLOW_NO_SUCH_VARIABLE, which is not set on"
                        + " the monitor's node; set it, or give the URL",
                refused.getMessage());
        // Any variable that every process has shows that it is read, and that its value is not.
        AlarmConfig present = WatchedRun.config("monitor.alarms.webhook=\"env:PATH\"");
        var path = assertThrows(IllegalArgumentException.class, () -> new AlarmHooks(present, "watched"));
        assertTrue(path.getMessage().contains("must be an http:// or https:// URL"), path.getMessage());
        assertFalse(path.getMessage().contains(System.getenv("PATH")), path.getMessage());
        assertFalse(WatchedRun.config("monitor.alarms.webhook=http://h/" + SECRET)
                .toString()
                .contains("t0ken"));
    }
}
