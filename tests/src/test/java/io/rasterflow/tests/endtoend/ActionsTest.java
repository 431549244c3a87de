package io.rasterflow.tests.endtoend;

import static io.rasterflow.tests.endtoend.Rasterflow.SMALL;
import static io.rasterflow.tests.endtoend.Rasterflow.words;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.cli.Main;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.tests.Chromium;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.support.ui.ExpectedConditions;
import org.openqa.selenium.support.ui.WebDriverWait;

/** A real run of two trainer processes does what is asked on its page, and ends with the weights of one that was left alone. */
class ActionsTest {

    /** However fast this machine is, the run is not at its end before it was asked everything. */
    private static final List<String> PLAN = List.of(
            "train.schedule=constant",
            "train.checkpointEverySteps=1000000",
            "probe.everySteps=1000000",
            "probe.trainImages=200",
            "probe.also.knn.everySteps=1000000",
            "cluster.replicas=1");

    @TempDir(cleanup = CleanupMode.NEVER)
    Path directory;

    private final HttpClient client = HttpClient.newHttpClient();
    private ChromeDriver browser;
    private Rasterflow.Running run;
    private URI page;

    @AfterEach
    void end() {
        if (browser != null) {
            browser.quit();
        }
        if (run != null) {
            run.process().destroy();
        }
    }

    @Test
    void aRunDoesWhatIsAskedOnItsPageAndItsWeightsStayTheSame() throws Exception {
        Rasterflow rasterflow = new Rasterflow(directory);
        // No disk has so much room.
        List<String> paged = List.of(
                "train.steps=1000000",
                "monitor.page=true",
                "monitor.port=0",
                "monitor.alarms.diskFreeBytes=" + Long.MAX_VALUE);
        run = rasterflow.start(words("train", "--run", "asked", "--nodes", 2, SMALL, PLAN, paged), Map.of());
        browser = Chromium.start(Files.createTempDirectory(directory, "profile"));
        await("the page", () -> Files.readString(run.out()).contains("live page"));
        page = URI.create(Files.readString(run.out()).replaceAll("(?s).*live page +(\\S+).*", "$1"));
        await("the first steps", () -> step() > 3);

        // By hand: everything stands still, and what is asked meanwhile is done.
        assertEquals(202, post("{\"action\":\"pause\"}").statusCode());
        await("a pause", () -> status().get("state").textValue().equals("paused"));
        long rested = step();
        HttpResponse<String> twice = post("{\"action\":\"pause\"}");
        assertEquals(409, twice.statusCode());
        assertTrue(twice.body().contains("the run is paused already"), twice.body());
        assertNothingElseIsTaken();
        assertEquals(202, post("{\"action\":\"probe\"}").statusCode());
        assertEquals(
                202,
                post("{\"action\":\"log-level\",\"level\":\"debug\",\"node\":\"trainer-1\"}")
                        .statusCode());
        await("a line of the new level", () -> Files.readString(directory.resolve("asked/logs/trainer-1.log"))
                .contains("log level debug, asked by 127.0.0.1"));

        // In a browser: it goes on, rests again and writes its weights.
        browser.get(page.resolve("#cluster").toString());
        awaitText("state-text", "paused");
        await("probes of the weights that rest", () -> status().get("probes").size() == 4);
        assertEquals(rested + 1, status().at("/probes/3/step").longValue());
        assertEquals(rested, step());
        RealViews views = new RealViews(browser, directory.resolve("asked"));
        views.assertShowWhatIsJournalled();
        openActions();
        awaitText("actions-pause", "Resume");
        click(By.id("actions-pause"));
        awaitText("state-text", "live");
        awaitText("actions-pause", "Pause");
        await("a step", () -> step() > rested);
        click(By.cssSelector("#actions summary")); // Open it lies over the links.
        views.assertFollow();
        openActions();
        click(By.id("actions-pause"));
        awaitText("state-text", "paused");
        assertTrue(text("events").contains("pause, asked by 127.0.0.1: done, the ranks rest at step"), text("events"));
        click(By.id("actions-checkpoint"));
        awaitText("actions-answer", "the weights of the last step are written");
        await("three checkpoints", () -> status().get("checkpoints").intValue() == 3);

        // While it goes on, a node leaves in order.
        click(By.id("actions-pause"));
        awaitText("state-text", "live");
        browser.findElement(By.cssSelector("#actions-node option[value=trainer-2]"))
                .click();
        click(By.id("actions-drain"));
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(ExpectedConditions.alertIsPresent())
                .accept();
        await("one rank", () -> status().get("worldSize").intValue() == 1);
        assertEquals(202, post("{\"action\":\"pause\"}").statusCode());
        awaitText("state-text", "paused");
        long end = step() + 1;

        // So it would have come without all that.
        Rasterflow.Running alone = rasterflow.start(
                words("train", "--json", "--run", "alone", SMALL, PLAN, "train.steps=" + end), Map.of());
        await("the end of the other", () -> text("events").contains("drain trainer-2, asked by 127.0.0.1: done"));
        assertEquals(List.of(), Chromium.consoleErrors(browser));
        Process interrupt =
                new ProcessBuilder("kill", "-INT", Long.toString(run.process().pid())).start();
        assertEquals(0, interrupt.waitFor());
        Rasterflow.Result stopped = run.await();
        assertTrue(stopped.out().contains("stopped after "), stopped.text());
        Path asked = directory.resolve("asked");
        assertEquals(0, Main.run(System.out, System.err, "audit", "--run", asked.toString()));
        assertJournalled();
        assertTrue(Files.isDirectory(Checkpoint.directory(asked, rested + 1)));
        Path last = Checkpoint.latest(asked).orElseThrow();
        assertEquals(end, Checkpoint.step(last));
        Rasterflow.Result undisturbed = alone.await();
        assertEquals(0, undisturbed.exit(), undisturbed.text());
        assertEquals(
                undisturbed.json().get("weightsSha256").asText(),
                Checkpoint.state(last).weightsSha256());
    }

    /** While the run rests, which a refused resume would end. */
    private void assertNothingElseIsTaken() throws Exception {
        String resume = "{\"action\":\"resume\"}";
        URI actions = page.resolve("/api/actions");
        assertRefused(403, request(actions, resume, "Origin", "https://evil.example"));
        assertRefused(403, request(actions, resume, "Origin", "http://127.0.0.1:" + (page.getPort() == 80 ? 81 : 80)));
        assertRefused(403, request(actions, resume, "Origin", "null"));
        assertRefused(403, request(actions, resume, "X-Rasterflow-Action", ""));
        assertRefused(415, request(actions, resume, "Content-Type", "text/plain"));
        assertRefused(415, request(actions, resume, "Content-Type", "application/x-www-form-urlencoded"));
        assertRefused(405, request(page.resolve("/"), resume, "Origin", "http://127.0.0.1:" + page.getPort()));
        assertRefused(405, HttpRequest.newBuilder(actions).DELETE());
        assertRefused(400, post(actions, "{\"action\":\"dance\"}"));
        assertRefused(400, post(actions, "{\"action\":\"drain\"}"));
        assertRefused(400, post(actions, "{\"action\":\"log-level\",\"level\":\"loud\"}"));
        assertRefused(400, post(actions, "resume"));
        assertRefused(413, post(actions, "{\"action\":\"resume\",\"node\":\"" + "x".repeat(5_000) + "\"}"));
        HttpResponse<String> asked = client.send(HttpRequest.newBuilder(actions).build(), BodyHandlers.ofString());
        assertEquals("{\"available\":true,\"reason\":\"\"}", asked.body());
        assertEquals("paused", status().get("state").textValue());
    }

    private void assertRefused(int status, HttpRequest.Builder request) throws Exception {
        HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
        assertEquals(status, response.statusCode(), response.body());
        assertEquals(1, response.body().lines().count(), response.body());
    }

    private static HttpRequest.Builder post(URI actions, String body) {
        return request(actions, body, "Accept", "application/json");
    }

    /** A request that is good but for one header; an empty value leaves it out. */
    private static HttpRequest.Builder request(URI to, String body, String name, String value) {
        HttpRequest.Builder request = HttpRequest.newBuilder(to)
                .setHeader("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (!name.equals("X-Rasterflow-Action")) {
            request.setHeader("X-Rasterflow-Action", "1");
        }
        return value.isEmpty() ? request : request.setHeader(name, value);
    }

    private HttpResponse<String> post(String body) throws IOException, InterruptedException {
        return client.send(post(page.resolve("/api/actions"), body).build(), BodyHandlers.ofString());
    }

    private void assertJournalled() throws IOException {
        try (Stream<Event> events = Journals.read(directory.resolve("asked"))) {
            List<Event.Action> actions = events.filter(Event.Action.class::isInstance)
                    .map(Event.Action.class::cast)
                    .toList();
            assertTrue(actions.stream().allMatch(action -> action.who().equals("127.0.0.1")), actions.toString());
            String done = actions.stream()
                    .filter(action -> action.outcome().equals(Event.Action.DONE))
                    .map(Event.Action::action)
                    .collect(Collectors.joining(" "));
            // The probe takes its time.
            assertEquals(
                    "pause resume pause checkpoint resume pause drain",
                    done.replace("log-level ", "").replace("probe ", ""));
            assertTrue(done.contains("log-level") && done.contains("probe"), done);
        }
    }

    // ---- What the page says

    private JsonNode status() throws IOException, InterruptedException {
        return new ObjectMapper()
                .readTree(client.send(
                                HttpRequest.newBuilder(page.resolve("/api/status"))
                                        .build(),
                                BodyHandlers.ofString())
                        .body());
    }

    private long step() throws IOException, InterruptedException {
        return status().get("step").longValue();
    }

    private static void await(String what, Callable<Boolean> condition) {
        Awaitility.await(what)
                .atMost(60, TimeUnit.SECONDS)
                .pollInterval(50, TimeUnit.MILLISECONDS)
                .until(condition);
    }

    private void openActions() {
        click(By.cssSelector(".views a[href='#cluster']"));
        click(By.cssSelector("#actions summary"));
    }

    private void click(By what) {
        browser.findElement(what).click();
    }

    private String text(String id) {
        return browser.findElement(By.id(id)).getText();
    }

    private void awaitText(String id, String expected) {
        new WebDriverWait(browser, Duration.ofSeconds(20))
                .withMessage(() -> "#" + id + " is '" + text(id) + "', not '" + expected + "'")
                .until(unused -> text(id).equals(expected));
    }
}
