package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.page.Dashboard;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.stream.LongStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.openqa.selenium.support.ui.WebDriverWait;

/** The page in a real browser: Debian's chromium. Screenshots are left in {@code target/screenshots/}. */
@Timeout(120)
class PageTest {

    private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
    private static final Path DRIVER = Path.of("/usr/bin/chromedriver");

    @TempDir(cleanup = CleanupMode.NEVER)
    Path profile;

    private ActorTestKit kit;
    private ActorRef<MonitorActor.Command> monitor;
    private URI page;
    private ChromeDriver browser;

    @BeforeEach
    void open() {
        SampleRun.restart();
        assumeTrue(
                Files.isExecutable(CHROMIUM) && Files.isExecutable(DRIVER),
                "no browser: apt-get install chromium chromium-driver");
        kit = ActorTestKit.create();
        monitor = kit.spawn(MonitorActor.create());
        page = Dashboard.start(kit.system(), "127.0.0.1", 0, monitor)
                .toCompletableFuture()
                .join();
        ChromeOptions options = new ChromeOptions();
        options.setBinary(CHROMIUM.toFile());
        options.addArguments(
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
                "--user-data-dir=" + profile);
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        options.setCapability("goog:loggingPrefs", logs);
        ChromeDriverService service = new ChromeDriverService.Builder()
                .usingDriverExecutable(DRIVER.toFile())
                .build();
        browser = new ChromeDriver(service, options);
    }

    @AfterEach
    void close() {
        if (browser != null) {
            browser.quit();
        }
        if (kit != null) {
            kit.shutdownTestKit();
        }
    }

    @Test
    void showsTheRunAndFollowsIt() throws IOException {
        feed(SampleRun.until(1_000));
        monitor.tell(new MonitorActor.Record(SampleRun.badSample(700, 1)));
        monitor.tell(new MonitorActor.Record(SampleRun.badSample(701, 2)));
        shape(1440, 1200, "light");
        browser.get(page.toString());
        await("run", "fashion-aim");
        await("progress-steps", "step 1,000 of 1,600 · epoch 12.80");

        assertTrue(text("tile-loss").matches("0\\.3\\d{3}"), text("tile-loss"));
        assertTrue(text("note-loss").matches("0\\.9\\d{3} at first"), text("note-loss"));
        assertTrue(text("tile-validation").startsWith("0.3"), text("tile-validation"));
        assertTrue(text("tile-probe").matches("84\\.\\d\\d %"), text("tile-probe"));
        assertTrue(text("note-probe").matches("\\+5\\.\\d\\d pts vs untrained"), text("note-probe"));
        assertTrue(text("tile-throughput").matches("1,[23]\\d\\d"), text("tile-throughput"));
        assertEquals("2 ranks", text("tile-world"));
        assertTrue(text("correlation").matches("r = −0\\.\\d{3} .*n = 6"), text("correlation"));
        assertTrue(text("progress-left").matches("about 2 min .*left"), text("progress-left"));
        assertTrue(text("nodes").contains("trainer-1") && text("nodes").contains("probe-0"), text("nodes"));
        assertTrue(text("events").contains("checkpoints/step-00001000"), text("events"));
        assertTrue(text("events").contains("bad sample ×2"), text("events"));
        for (String chart : List.of("loss", "probe", "correlation", "throughput", "rate", "time")) {
            assertTrue(isDrawn("chart-" + chart), chart + " is blank");
            assertFalse(browser.findElement(By.id("empty-" + chart)).isDisplayed(), chart + " says it has no data");
        }
        assertTrue(layoutShift() < 0.02, "the layout moved by " + layoutShift());

        // Live: what is told now appears without a reload.
        feed(List.of(SampleRun.step(0, 1_001), SampleRun.step(1, 1_001)));
        await("progress-steps", "step 1,001 of 1,600 · epoch 12.81");
        feed(List.of(
                new Event.BadSample(
                        SampleRun.at(1_001), "trainer-1", 1_001, "a.tar", 0, "<b>k</b>", 1, "zero bytes", ""),
                new Event.Membership(SampleRun.at(1_001), "coordinator", "probe-0", "down", 1, 2, "connection lost")));
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(unused -> text("events").contains("probe-0 is down: connection lost"));
        assertTrue(text("events").contains("(<b>k</b>): zero bytes"), text("events"));
        assertTrue(text("nodes").contains("down"), text("nodes"));
        await("state-text", "live");

        // A rank that the other waits for is named, and only as long as it does.
        assertFalse(browser.findElement(By.id("slow-ranks")).isDisplayed());
        LongStream.rangeClosed(1_002, 1_060).forEach(step -> feed(SampleRun.held(step, 0.1)));
        await(
                "slow-ranks",
                "rank 1 (trainer-1) takes 1.6 times as long per micro-batch as the others; the difference is in input wait");
        assertTrue(text("events").contains("slow rank"), text("events"));
        LongStream.rangeClosed(1_061, 1_120).forEach(step -> feed(SampleRun.held(step, 0)));
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(unused -> !browser.findElement(By.id("slow-ranks")).isDisplayed());
        assertTrue(text("events").contains("rank 1 (trainer-1) keeps up with the others again"), text("events"));

        // What is raised stands on top, and what is over among the events.
        assertFalse(browser.findElement(By.id("alarms")).isDisplayed());
        feed(List.of(SampleRun.alarm("loss-spike", "", true, 1_121, 0.9)));
        await("alarms", "loss spike the loss of step 1121 is <b>far</b> above. Try: look. Since step 1,121.");
        assertEquals("alert", browser.findElement(By.id("alarms")).getAttribute("role"));
        screenshot("page-alarm");
        feed(List.of(SampleRun.alarm("loss-spike", "", false, 1_130, 0.4)));
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(unused -> !browser.findElement(By.id("alarms")).isDisplayed());
        assertTrue(text("events").contains("loss spike is over: the loss is near its median"), text("events"));

        screenshot("page-light");
        shape(1440, 1200, "dark");
        screenshot("page-dark");
        shape(390, 844, "light");
        screenshot("page-phone");
        assertEquals(
                390L,
                browser.executeScript("return document.documentElement.scrollWidth"),
                "a phone has to scroll sideways");

        feed(List.of(SampleRun.ended()));
        await("state-text", "completed");
        assertEquals(List.of(), consoleErrors());
    }

    @Test
    void anEmptyPageWaitsAndAServerThatGoesIsSaid() {
        shape(1440, 1200, "light");
        browser.get(page.toString());
        await("state-text", "waiting");
        screenshot("page-empty");
        assertEquals("needs 3 points, has 0", text("correlation"));
        assertTrue(browser.findElement(By.id("empty-loss")).isDisplayed());
        assertEquals(List.of(), consoleErrors());
        feed(SampleRun.until(10));
        await("progress-steps", "step 10 of 1,600 · epoch 0.13");
        kit.shutdownTestKit();
        await("state-text", "reconnecting");
    }

    private void feed(List<Event> events) {
        events.forEach(event -> monitor.tell(new MonitorActor.Record(event)));
    }

    private String text(String id) {
        return browser.findElement(By.id(id)).getText();
    }

    private void await(String id, String expected) {
        new WebDriverWait(browser, Duration.ofSeconds(20))
                .withMessage(
                        () -> "#" + id + " is '" + text(id) + "', not '" + expected + "'; console: " + consoleErrors())
                .until(unused -> text(id).equals(expected));
    }

    /** Whether a canvas has pixels of more than one colour. */
    private boolean isDrawn(String id) {
        Object colours = browser.executeScript(
                "const c = document.getElementById(arguments[0]); const d = c.getContext('2d')"
                        + ".getImageData(0, 0, c.width, c.height).data; const s = new Set();"
                        + "for (let i = 0; i < d.length; i += 4) s.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]);"
                        + "return s.size",
                id);
        return ((Number) colours).intValue() > 3;
    }

    /** Cumulative layout shift as browsers define it. */
    private double layoutShift() {
        Object shift = browser.executeAsyncScript(
                "const done = arguments[0]; let sum = 0;"
                        + "new PerformanceObserver(list => { for (const e of list.getEntries()) sum += e.value; })"
                        + ".observe({type: 'layout-shift', buffered: true}); requestAnimationFrame(() => setTimeout(() => done(sum), 50))");
        return ((Number) shift).doubleValue();
    }

    private List<String> consoleErrors() {
        return browser.manage().logs().get(LogType.BROWSER).getAll().stream()
                .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
                .map(LogEntry::getMessage)
                .toList();
    }

    private void shape(int width, int height, String scheme) {
        browser.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 500));
        browser.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
    }

    private void screenshot(String name) {
        try {
            // Charts follow a resize in the next frames.
            browser.executeAsyncScript(
                    "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 200)))");
            Map<String, Object> shot = browser.executeCdpCommand(
                    "Page.captureScreenshot", Map.of("format", "png", "captureBeyondViewport", true));
            Path file =
                    Files.createDirectories(Path.of("target", "screenshots")).resolve(name + ".png");
            Files.write(file, OutputType.BYTES.convertFromBase64Png((String) shot.get("data")));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
