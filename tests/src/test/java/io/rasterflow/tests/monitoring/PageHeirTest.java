package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.compare.Comparison;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.page.Dashboard;
import io.rasterflow.monitoring.page.Succession;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.openqa.selenium.By;
import org.openqa.selenium.support.ui.WebDriverWait;

/** The node that serves the page is lost; a browser goes on at another's, whose address it was told. */
@Timeout(120)
class PageHeirTest extends PageFixture {

    private static final String RUN = "fashion-aim";

    /** The machines are addresses of this one. */
    private static URI serve(
            ActorTestKit kit,
            String host,
            int port,
            String run,
            ActorRef<MonitorActor.Command> monitor,
            ImageArchive images,
            Supplier<List<URI>> heirs) {
        return Dashboard.start(
                        kit.system(),
                        host,
                        port,
                        monitor,
                        images,
                        Comparison.NONE,
                        Optional.empty(),
                        new Succession(run, host, port, heirs))
                .toCompletableFuture()
                .join();
    }

    @Test
    void aBrowserGoesOnAtThePageOfTheNodeThatTakesOver() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            port = free.getLocalPort();
        }
        URI heir = URI.create("http://127.0.0.2:" + port + "/");
        URI stranger = URI.create("http://127.0.0.3:" + port + "/");
        ImageArchive images = new ImageArchive(run);
        ActorTestKit first = ActorTestKit.create();
        try {
            ActorRef<MonitorActor.Command> lost = first.spawn(MonitorActor.create());
            SampleRun.until(100).forEach(event -> lost.tell(new MonitorActor.Record(event)));
            URI address = serve(first, "127.0.0.1", port, RUN, lost, images, () -> List.of(stranger, heir));
            browser.get(address.resolve("#cluster").toString());
            await("progress-steps", "step 100 of 1,600 · epoch 1.28");
            assertEquals(List.of(), consoleErrors());
        } finally {
            first.shutdownTestKit();
        }
        await("state-text", "reconnecting");
        serve(kit, "127.0.0.3", port, "another run", monitor, images, List::of);
        browser.executeAsyncScript(
                "setTimeout(arguments[0], 2500)"); // Whoever serves another run is asked, and left alone.
        assertEquals("127.0.0.1", URI.create(browser.getCurrentUrl()).getHost());
        assertTrue(
                consoleErrors().stream().anyMatch(line -> line.contains(stranger + "healthz") && line.contains("404")));

        SampleRun.until(130).forEach(event -> monitor.tell(new MonitorActor.Record(event)));
        serve(kit, "127.0.0.2", port, RUN, monitor, images, () -> List.of(stranger));
        new WebDriverWait(browser, Duration.ofSeconds(20))
                .until(unused -> browser.getCurrentUrl().equals(heir + "#cluster"));
        awaitView("cluster");
        await("progress-steps", "step 130 of 1,600 · epoch 1.66");
        assertFalse(browser.findElement(By.id("missing")).isDisplayed());
        monitor.tell(new MonitorActor.Record(SampleRun.step(0, 131)));
        monitor.tell(new MonitorActor.Record(
                new Event.Alarm(SampleRun.at(131), "heir", "disk", "main", true, 131, 1, 2, "full", "look")));
        await("progress-steps", "step 131 of 1,600 · epoch 1.68");
        await("alarms", "disk full. Try: look. Since step 131.");
    }
}
