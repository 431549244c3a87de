package io.rasterflow.tests.endtoend;

import static io.rasterflow.tests.endtoend.Rasterflow.SMALL;
import static io.rasterflow.tests.endtoend.Rasterflow.words;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.tests.Chromium;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real trainer processes are killed, stopped, let go and joined; the run goes on and ends with the very same weights. */
@Paired
class ElasticTest {

    private static final List<String> STEPS = List.of(
            "train.steps=550", "train.checkpointEverySteps=275", "probe.everySteps=100000", "probe.trainImages=200");

    @TempDir
    Path directory;

    @Test
    void killsLeavesAndJoinsChangeNoBitOfTheWeights() throws Exception {
        Rasterflow rasterflow = new Rasterflow(directory);
        Rasterflow.Result whole =
                rasterflow.run("train", "--json", "--run", "whole", SMALL, words(STEPS), "cluster.replicas=1");
        assertEquals(0, whole.exit(), whole.text());

        Rasterflow.Running running = rasterflow.start(
                words("train", "--json", "--run", "elastic", "--nodes", "3", SMALL, STEPS, "cluster.replicas=1"),
                Map.of());
        awaitWorld("elastic", 3, 1);

        long killed = generation("elastic");
        signal("KILL", child(running, "trainer-2"));
        awaitWorld("elastic", 2, killed + 1);
        awaitWorld("elastic", 3, killed + 2);

        long leaving = generation("elastic");
        signal("TERM", child(running, "trainer-3"));
        awaitWorld("elastic", 2, leaving + 1);

        String join = Files.readString(running.out()).replaceAll("(?s).*--join (\\S+).*", "$1");
        Rasterflow.Running joiner = rasterflow.start(
                words("node", "--role", "trainer", "--name", "by-hand", "--join", join, "--debug"), Map.of());
        awaitWorld("elastic", 3, leaving + 2);

        Rasterflow.Result result = running.await();
        assertEquals(0, result.exit(), result.text());
        Rasterflow.Result joined = joiner.await();
        assertEquals(0, joined.exit());
        assertTrue(joined.text().contains("is connected to the ranks of generation"), joined.text());
        JsonNode expected = whole.json();
        JsonNode summary = result.json();
        assertEquals(550, summary.get("steps").asLong());
        assertEquals(
                expected.get("weightsSha256").asText(),
                summary.get("weightsSha256").asText(),
                result.text());

        Rasterflow.Result audit = rasterflow.run("audit", "--run", "elastic", "--json");
        assertEquals(0, audit.exit(), audit.text());
        assertEquals(550 * 32, audit.json().get("positions").asLong());
        assertEquals(0, audit.json().get("missing").asLong());
        assertEquals(0, audit.json().get("duplicated").asLong());
    }

    /** Meanwhile a second node claims the name of another, and a browser has the wrong port. */
    @Test
    void aTrainerThatHangsIsGivenUpAndTakenBackWhenItWakes() throws Exception {
        Rasterflow rasterflow = new Rasterflow(directory);
        Rasterflow.Running running = rasterflow.start(
                words(
                        "train",
                        "--run",
                        "hanging",
                        "--nodes",
                        "2",
                        SMALL,
                        "train.steps=1000000",
                        "train.checkpointEverySteps=1000000",
                        "probe.everySteps=1000000",
                        "probe.trainImages=200",
                        "cluster.replicas=1"),
                Map.of());
        awaitWorld("hanging", 2, 1);
        String join = Files.readString(running.out()).replaceAll("(?s).*--join (\\S+).*", "$1");
        Rasterflow.Running twin =
                rasterflow.start(words("node", "--role", "trainer", "--name", "trainer-2", "--join", join), Map.of());
        assertTrue(browse(join).contains("the control port of a Rasterflow node"));
        long before = generation("hanging");
        ProcessHandle hung = child(running, "trainer-1");
        signal("STOP", hung);
        awaitWorld("hanging", 1, before + 1);
        signal("CONT", hung);
        awaitWorld("hanging", 2, before + 2);
        String expected = "another process is node trainer-2 of this run; give this one another --name";
        Rasterflow.Result refused = twin.await();
        assertEquals(1, refused.exit(), refused.text());
        assertTrue(refused.err().contains(expected), refused.text());
        signal("INT", running.process().toHandle());
        Rasterflow.Result result = running.await();
        assertTrue(result.out().contains("stopped after "), result.text());
        assertTrue(result.err().contains(expected), result.text());
        assertTrue(result.err().contains("an HTTP request; the page has another port"), result.text());
        for (Rasterflow.Result each : List.of(refused, result)) {
            assertFalse(each.err().contains("\tat "), each.text());
        }
    }

    private static String browse(String address) throws IOException {
        String[] hostAndPort = address.split(":");
        try (Socket socket = new Socket(hostAndPort[0], Integer.parseInt(hostAndPort[1]))) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** A browser that has the page open, where there is one, goes on at that of the other. */
    @Test
    void whenTheCoordinatorsNodeIsKilledAnotherTakesOverAndTheRunIsFinished() throws Exception {
        Rasterflow rasterflow = new Rasterflow(directory);
        int port = OrphanedPage.port();
        Rasterflow.Running main = rasterflow.start(
                words(
                        "train",
                        "--run",
                        "orphaned",
                        SMALL,
                        "train.steps=400",
                        "train.schedule=constant",
                        "train.checkpointEverySteps=200",
                        "probe.everySteps=100000",
                        "probe.trainImages=200",
                        "monitor.page=true",
                        "monitor.port=" + port,
                        "monitor.alarms.warmupSteps=0",
                        "monitor.alarms.plateauSteps=100",
                        "monitor.alarms.plateauFall=0.99",
                        "monitor.exports=[jsonl]",
                        "cluster.spawn=false",
                        "cluster.nodes=2",
                        "cluster.replicas=1"),
                Map.of());
        Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> Files.readString(main.out())
                .contains("--join "));
        String join = Files.readString(main.out()).replaceAll("(?s).*--join (\\S+).*", "$1");
        Rasterflow.Running heir = rasterflow.start(
                words("node", "--role", "coordinator,monitor,trainer", "--name", "heir", "--join", join), Map.of());
        // Nobody is at the first of its addresses.
        Rasterflow.Running other = rasterflow.start(
                words("node", "--role", "trainer", "--name", "other", "--join", "127.0.0.1:9," + join), Map.of());
        awaitWorld("orphaned", 2, 1);
        try (OrphanedPage page = Chromium.isThere() ? new OrphanedPage(port, directory.resolve("orphaned")) : null) {
            signal("KILL", main.process().toHandle());
            if (page != null) {
                page.assertGoesOnAtTheHeirs();
            }
        }
        Rasterflow.Result ended = heir.await();
        assertEquals(0, ended.exit(), ended.text());
        assertEquals(0, other.await().exit());
        assertTrue(Files.isDirectory(directory.resolve("orphaned/checkpoints/step-00000400")));
        try (Stream<Event> events = Journals.read(directory.resolve("orphaned"))) {
            assertTrue(
                    events.anyMatch(event -> event instanceof Event.Alarm alarm
                            && alarm.node().equals("heir")
                            && alarm.alarm().equals("plateau")),
                    "the heir watches the run");
        }
        Rasterflow.Result audit = rasterflow.run("audit", "--run", "orphaned", "--json");
        assertEquals(0, audit.exit(), audit.text());
        assertEquals(400 * 32, audit.json().get("positions").asLong());
        Rasterflow.Result metrics = rasterflow.run("metrics", "--run", "orphaned");
        assertEquals(
                metrics.out().lines().sorted().toList(),
                Files.readAllLines(directory.resolve("orphaned/metrics.jsonl")).stream()
                        .sorted()
                        .toList(),
                "what the heir exported live");
    }

    /** Waits until so many ranks have completed a step in a generation from that one on. */
    private void awaitWorld(String run, int worldSize, long generation) {
        Awaitility.await(worldSize + " ranks in generation " + generation + " or later")
                .atMost(90, TimeUnit.SECONDS)
                .pollInterval(200, TimeUnit.MILLISECONDS)
                .until(() -> {
                    try (Stream<Event> events = Journals.read(directory.resolve(run))) {
                        return events.anyMatch(event -> event instanceof Event.Step step
                                && step.worldSize() == worldSize
                                && step.generation() >= generation);
                    }
                });
    }

    private long generation(String run) throws IOException {
        try (Stream<Event> events = Journals.read(directory.resolve(run))) {
            return events.mapToLong(event -> event instanceof Event.Step step ? step.generation() : 0)
                    .max()
                    .orElse(0);
        }
    }

    private static ProcessHandle child(Rasterflow.Running running, String name) throws IOException {
        for (ProcessHandle process : running.process().descendants().toList()) {
            // The JVM's own handle cuts long command lines short.
            String command = Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"));
            if (command.contains("--name\0" + name + "\0")) {
                return process;
            }
        }
        throw new AssertionError("there is no process of " + name);
    }

    private static void signal(String name, ProcessHandle process) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        assertTrue(kill.waitFor(10, TimeUnit.SECONDS) && kill.exitValue() == 0, name + " was not sent");
    }
}
