package io.rasterflow.tests.monitoring;

import io.rasterflow.monitoring.compare.Comparison;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.page.Dashboard;
import io.rasterflow.monitoring.page.Succession;
import io.rasterflow.tests.Chromium;
import io.rasterflow.tests.OpenPage;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.chrome.ChromeDriver;

/**
 * A page and a real browser: Debian's chromium. With {@code -Drasterflow.screenshots=true} pictures for people are left in
 * {@code target/screenshots/}.
 */
abstract class PageFixture {

    @TempDir(cleanup = CleanupMode.NEVER)
    Path profile;

    @TempDir
    Path run;

    ActorTestKit kit;
    ActorRef<MonitorActor.Command> monitor;
    URI page;
    ChromeDriver browser;
    OpenPage opened;

    /** Other runs that the page draws. */
    Comparison comparison() {
        return Comparison.NONE;
    }

    @BeforeEach
    void open() {
        SampleRun.restart();
        Chromium.require();
        kit = ActorTestKit.create();
        monitor = kit.spawn(MonitorActor.create());
        page = Dashboard.start(
                        kit.system(),
                        "127.0.0.1",
                        0,
                        monitor,
                        new ImageArchive(run),
                        comparison(),
                        Optional.empty(),
                        Succession.NONE)
                .toCompletableFuture()
                .join();
        browser = Chromium.start(profile);
        opened = new OpenPage(browser);
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

    void feed(List<Event> events) {
        events.forEach(event -> monitor.tell(new MonitorActor.Record(event)));
    }

    String text(String id) {
        return opened.text(id);
    }

    void await(String id, String expected) {
        opened.await(id, expected);
    }

    void visit(String view) {
        opened.visit(view);
    }

    void awaitView(String view) {
        opened.awaitView(view);
    }

    void assertDrawn(String... charts) {
        opened.assertDrawn(charts);
    }

    /** Cumulative layout shift as browsers define it. */
    double layoutShift() {
        Object shift = browser.executeAsyncScript(
                "const done = arguments[0]; let sum = 0;"
                        + "new PerformanceObserver(list => { for (const e of list.getEntries()) sum += e.value; })"
                        + ".observe({type: 'layout-shift', buffered: true}); requestAnimationFrame(() => setTimeout(() => done(sum), 50))");
        return ((Number) shift).doubleValue();
    }

    List<String> consoleErrors() {
        return Chromium.consoleErrors(browser);
    }

    void shape(int width, int height, String scheme) {
        browser.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 500));
        browser.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
    }

    void screenshot(String name) {
        // Charts follow a resize in the next frames.
        browser.executeAsyncScript(
                "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)))");
        if (!Boolean.getBoolean("rasterflow.screenshots")) {
            return;
        }
        try {
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
