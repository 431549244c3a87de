package io.rasterflow.tests.endtoend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.tests.Chromium;
import io.rasterflow.tests.OpenPage;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.openqa.selenium.By;
import org.openqa.selenium.chrome.ChromeDriver;

/** A browser that has the page of a run open while the node that serves it is lost. */
final class OrphanedPage implements AutoCloseable {

    /** A node that does not answer is given up late on a busy machine, and one that trains there is slow. */
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private final URI address;
    private final ChromeDriver browser;
    private final OpenPage page;
    private final RealViews views;

    /**
     * Opens the page of a run that rests.
     *
     * @param run its directory
     */
    OrphanedPage(int port, Path run) throws IOException, InterruptedException {
        this.address = URI.create("http://127.0.0.1:" + port + "/");
        assertEquals(202, ask("pause"));
        this.browser = Chromium.start(Files.createTempDirectory("profile"));
        this.page = new OpenPage(browser, PATIENCE);
        this.views = new RealViews(browser, run);
        browser.get(address.toString());
        page.await("state-text", "paused");
        views.assertCurveOfTheLoss();
        browser.executeScript("window.opened = 'before the loss'");
    }

    /** A port that is free and that nobody is given who asks for any, so that it is still free for an heir. */
    static int port() throws IOException {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(20_000, 30_000);
            try (ServerSocket free = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return free.getLocalPort();
            } catch (BindException e) {
                // Another one, then.
            }
        }
    }

    /**
     * Without being loaded anew it shows what was before and what comes, and does what is asked. The run rests again as soon as
     * somebody can be asked, so that it does not end before all this is seen.
     */
    void assertGoesOnAtTheHeirs() throws IOException {
        Awaitility.await("a page that takes over")
                .atMost(PATIENCE)
                .pollInterval(50, TimeUnit.MILLISECONDS)
                .ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> ask("pause") == 202);
        page.visit("cluster");
        page.await(() -> "the nodes are " + page.text("nodes"), () -> page.text("nodes")
                .matches("(?s).*main – [^\n]* down .*"));
        page.await("state-text", "paused");
        assertEquals("before the loss", browser.executeScript("return window.opened"));
        String nodes = page.text("nodes");
        assertTrue(nodes.matches("(?s).*heir \\d [^\n]* up .*"), nodes);
        String events = page.text("events");
        assertTrue(events.matches("(?s)(.*pause, asked by 127.0.0.1: done, the ranks rest at step.*){2}"), events);
        assertFalse(browser.findElement(By.id("missing")).isDisplayed(), () -> page.text("missing"));
        views.assertCurveOfTheLoss();

        browser.findElement(By.cssSelector("#actions summary")).click();
        page.await("actions-pause", "Resume");
        browser.findElement(By.id("actions-pause")).click();
        page.await("state-text", "live");
        page.await(() -> "alarms: " + page.text("alarms"), () -> page.text("alarms")
                .startsWith("plateau "));
        page.await("state-text", "completed");
        List<String> errors = Chromium.consoleErrors(browser);
        assertTrue(errors.stream().allMatch(error -> error.startsWith(address + "events ")), errors.toString());
    }

    private int ask(String action) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(address.resolve("/api/actions"))
                .header("Content-Type", "application/json")
                .header("X-Rasterflow-Action", "1")
                .POST(HttpRequest.BodyPublishers.ofString("{\"action\":\"" + action + "\"}"))
                .build();
        return HttpClient.newHttpClient()
                .send(request, BodyHandlers.discarding())
                .statusCode();
    }

    @Override
    public void close() {
        browser.quit();
    }
}
