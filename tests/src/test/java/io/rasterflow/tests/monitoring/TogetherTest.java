package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.compare.Comparison;
import io.rasterflow.monitoring.plot.LawText;
import io.rasterflow.monitoring.science.Correlation;
import io.rasterflow.monitoring.science.RunPoint;
import io.rasterflow.monitoring.science.ScalingAnalysis;
import io.rasterflow.monitoring.science.ScalingSeries;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.support.ui.Select;
import org.openqa.selenium.support.ui.WebDriverWait;

/** What a run and those beside it tell together, on its page. */
@Timeout(180)
class TogetherTest extends PageFixture {

    private static final long OWN = 3_000_000;
    private static final List<Long> SIZES = List.of(30_000L, 100_000L, 300_000L, 1_000_000L);

    @TempDir
    private Path folder;

    private Path other(int number) {
        return folder.resolve("run-" + number);
    }

    @Override
    Comparison comparison() {
        try {
            for (int i = 0; i < SIZES.size(); i++) {
                Files.createDirectories(other(i));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Comparison.of(
                run, IntStream.range(0, SIZES.size()).mapToObj(this::other).toList());
    }

    private void awaitStart(String id, String expected) {
        new WebDriverWait(browser, Duration.ofSeconds(60))
                .withMessage(
                        () -> "#" + id + " is '" + text(id) + "', not '" + expected + "'; console: " + consoleErrors())
                .until(unused -> text(id).startsWith(expected));
    }

    @Test
    void runsTellTogetherOrSayWhatIsMissing() throws IOException {
        feed(SizedRun.events(OWN, "pixels"));
        shape(1280, 900, "light");
        SizedRun.write(other(0), SIZES.get(0), "pixels");
        browser.get(page + "#science");
        awaitView("science");
        awaitStart(
                "finding-together",
                "attentive probe over the runs: too few points, needs 3 runs with a probe of their last validated"
                        + " weights, has 1");
        assertEquals(
                "no law: a scaling law needs at least 3 runs of different sizes but 1 is given",
                text("finding-scaling"));
        assertTrue(text("together-notes").contains("left out: this run: no event yet"), text("together-notes"));
        assertTrue(browser.findElement(By.id("empty-scaling")).isDisplayed());

        for (int i = 1; i < SIZES.size(); i++) {
            SizedRun.write(other(i), SIZES.get(i), "pixels");
        }
        SizedRun.write(run, OWN, "pixels");
        List<RunPoint> points = new ArrayList<>(List.of(RunPoint.read(run)));
        for (int i = 0; i < SIZES.size(); i++) {
            points.add(RunPoint.read(other(i)));
        }
        ScalingAnalysis analysis = ScalingAnalysis.of(points);
        Correlation correlation = analysis.correlations().get("attentive");
        awaitStart(
                "finding-together",
                String.format(
                        Locale.ROOT,
                        "attentive probe over the runs: r = −%.3f over 5 runs: runs of lower loss are those of higher",
                        -correlation.pearson()));
        assertTrue(
                text("together-figures")
                        .matches("(?s)Pearson r\n−[01]\\.\\d{3}\n95 %: −[01]\\.\\d\\d to −[01]\\.\\d\\d\n.*"
                                + "Spearman ρ\n−[01]\\.\\d{3}\n95 %: .*"),
                text("together-figures"));
        assertDrawn("together", "scaling");
        assertEquals("5 runs: the runs of 25,600 samples", text("finding-scaling"));
        ScalingSeries law = analysis.series().get(0);
        String laws = text("laws");
        for (String line : LawText.lines(law)) {
            assertTrue(laws.contains(line), line + " is not in " + laws);
        }
        assertTrue(laws.contains("Law in samples\nno law: needs 3"), laws);
        String legend = browser.findElement(By.xpath("//figure[@id='together']//*[contains(@class, 'keys')]"))
                .getText();
        assertTrue(legend.contains("● this run") && legend.contains("■ " + other(0)), legend);
        assertFalse(text("together-notes").contains("left out"), text("together-notes"));
        screenshot("view-science-together");

        Select over = new Select(browser.findElement(By.id("scaling-x")));
        assertEquals("over parameters", over.getFirstSelectedOption().getText());
        over.selectByValue("FLOPs");
        assertEquals(page + "#science?law=FLOPs", browser.getCurrentUrl());
        awaitStart("finding-scaling", "5 runs: the runs that no cheaper run is as good as");
        shape(390, 844, "dark");
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .withMessage("a phone has to scroll sideways")
                .until(unused -> browser.executeScript("return document.documentElement.scrollWidth")
                        .equals(390L));
        assertEquals(List.of(), consoleErrors());
    }
}
