package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertFalse;

import io.rasterflow.monitoring.compare.Comparison;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.page.Dashboard;
import io.rasterflow.monitoring.page.Succession;
import io.rasterflow.tests.Chromium;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.support.ui.WebDriverWait;

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
        return browser.findElement(By.id(id)).getText();
    }

    void await(String id, String expected) {
        new WebDriverWait(browser, Duration.ofSeconds(20))
                .withMessage(
                        () -> "#" + id + " is '" + text(id) + "', not '" + expected + "'; console: " + consoleErrors())
                .until(unused -> text(id).equals(expected));
    }

    /** Goes to a view by its link, as people do. */
    void visit(String view) {
        browser.findElement(By.cssSelector(".views a[href^='#" + view + "']")).click();
        awaitView(view);
    }

    /** The one view that is shown, whose link says so. */
    void awaitView(String view) {
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .withMessage(() -> "no view " + view + " at " + browser.getCurrentUrl())
                .until(unused -> shownViews().equals(List.of("view-" + view))
                        && browser.findElements(By.cssSelector("nav a[aria-current='page']")).stream()
                                .map(link -> link.getDomAttribute("href").split("\\?")[0])
                                .toList()
                                .equals(List.of("#" + view)));
    }

    private List<String> shownViews() {
        return browser.findElements(By.cssSelector("section.view")).stream()
                .filter(WebElement::isDisplayed)
                .map(section -> section.getDomAttribute("id"))
                .toList();
    }

    /** Charts that show data, and not that they have none. */
    void assertDrawn(String... charts) {
        for (String chart : charts) {
            new WebDriverWait(browser, Duration.ofSeconds(10))
                    .withMessage(() -> chart + " is blank")
                    .until(unused -> Chromium.colours(browser, "document.getElementById('chart-" + chart + "')") > 3);
            assertFalse(browser.findElement(By.id("empty-" + chart)).isDisplayed(), chart + " says it has no data");
        }
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
