package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.MonitorActor;
import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.openqa.selenium.By;
import org.openqa.selenium.support.ui.WebDriverWait;

/** The page in a real browser. */
@Timeout(120)
class PageTest extends PageFixture {

    @Test
    void showsTheRunAndFollowsIt() {
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
        assertTrue(text("progress-left").matches("about 2 min .*left"), text("progress-left"));
        assertDrawn("loss", "throughput", "rate", "norm");
        assertTrue(layoutShift() < 0.02, "the layout moved by " + layoutShift());
        visit("science");
        assertTrue(text("correlation").matches("r = −0\\.\\d{3} over 6 probes: the lower .*"), text("correlation"));
        assertDrawn("probe", "correlation");
        visit("time");
        assertDrawn("time", "input");
        visit("cluster");
        assertTrue(text("nodes").contains("trainer-1") && text("nodes").contains("probe-0"), text("nodes"));
        assertTrue(text("events").contains("checkpoints/step-00001000"), text("events"));
        assertTrue(text("events").contains("bad sample ×2"), text("events"));

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

        visit("run");
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
        assertTrue(browser.findElement(By.id("empty-loss")).isDisplayed());
        visit("science");
        assertTrue(text("correlation").startsWith("needs 3 points, has 0"), text("correlation"));
        assertEquals(List.of(), consoleErrors());
        feed(SampleRun.until(10));
        await("progress-steps", "step 10 of 1,600 · epoch 0.13");
        kit.shutdownTestKit();
        await("state-text", "reconnecting");
    }
}
