package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.images.ImageArchive;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.support.ui.Select;
import org.openqa.selenium.support.ui.WebDriverWait;

/** The pictures of predictions in a real browser. */
@Timeout(120)
class PageImagesTest extends PageFixture {

    @Test
    void predictionsOfEveryCheckpointAreShownAndFollowed() throws IOException {
        ImageArchive archive = new ImageArchive(run);
        shape(1440, 1200, "light");
        browser.get(page.resolve("#images").toString());
        await("state-text", "waiting");
        assertTrue(text("empty-images").startsWith("no picture yet"), text("empty-images"));
        WebElement slider = browser.findElement(By.id("images-step"));
        assertFalse(slider.isEnabled());

        for (long step : new long[] {0, 600}) {
            SampleImages.write(archive, step);
            feed(List.of(SampleRun.images(step)));
            await("images-at", Long.toString(step));
        }
        assertFalse(browser.findElement(By.id("empty-images")).isDisplayed());
        assertEquals(2, browser.findElements(By.cssSelector("#pictures li")).size());
        awaitGrey(600);
        assertEquals("Image 1 (label 7) · loss 0.0017", heading(0));
        assertEquals("Image 2 · loss –", heading(1));
        assertEquals("the 1 of 4 patches of image 1 (label 7) that the model was shown", panel(1));
        assertEquals(
                "what the model predicts of the other 3 patches of image 1 (label 7), with a loss of 0.0017", panel(2));
        assertTrue(panel(3).endsWith("; the highest is 0.0025 in row 2, column 2 of 2"), panel(3));
        assertTrue(text("images-note").startsWith("Mean loss of these images 0.0017."), text("images-note"));

        // By keyboard to an earlier step, where it stays when another comes; and back to the last, which it follows.
        slider.sendKeys(Keys.ARROW_LEFT);
        await("images-at", "0");
        awaitGrey(0);
        assertEquals("step 0", slider.getAttribute("aria-valuetext"));
        assertEquals("Image 1 (label 7) · loss 1.0000", heading(0));
        SampleImages.write(archive, 1_200);
        feed(List.of(SampleRun.images(1_200)));
        new WebDriverWait(browser, Duration.ofSeconds(10)).until(unused -> "2".equals(slider.getAttribute("max")));
        assertEquals("0", text("images-at"));
        slider.sendKeys(Keys.END);
        await("images-at", "1,200");
        awaitGrey(1_200);
        SampleImages.write(archive, 1_800);
        feed(List.of(SampleRun.images(1_800)));
        await("images-at", "1,800");
        awaitGrey(1_800);
        // When an attentive probe is made of a step: where it looks, all heads together and each by itself.
        SampleImages.write(archive, 2_400);
        feed(List.of(SampleRun.images(2_400)));
        await("images-at", "2,400");
        awaitGrey(2_400);
        SampleImages.writeAttended(archive, 2_400, List.of(""));
        feed(List.of(SampleRun.probe(2_400)));
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(unused -> browser.findElements(By.cssSelector("#pictures .panels canvas"))
                                .size()
                        == 10);
        assertEquals(
                "where an attentive probe looks in image 1 (label 7), mean of its 2 heads; it takes the most, 70.00 %, of row 2,"
                        + " column 2 of 2",
                panel(4));
        List<WebElement> heads = browser.findElements(By.cssSelector("#pictures li:first-child .heads canvas"));
        assertEquals(
                List.of(
                        "where head 1 looks in image 1 (label 7); it takes the most, 70.00 %, of row 2, column 2 of 2",
                        "where head 2 looks in image 1 (label 7); it takes the most, 70.00 %, of row 2, column 2 of 2"),
                heads.stream().map(head -> head.getAttribute("aria-label")).toList());
        // Black where the head takes nothing, pale yellow where it takes the most.
        assertEquals(
                List.of(List.of(0L, 0L, 4L, 255L), List.of(252L, 255L, 164L, 255L)),
                browser.executeScript(
                        "const d = arguments[0].getContext('2d').getImageData(0, 0, 2, 2).data;"
                                + "return [[...d.slice(0, 4)], [...d.slice(12, 16)]];",
                        heads.get(0)));
        screenshot("page-images-attention");
        assertFalse(browser.findElement(By.id("images-set")).isDisplayed());
        aProbeIsChosenAmongThoseOfSeveralSets(archive, slider);
        slider.sendKeys(Keys.ARROW_LEFT);
        slider.sendKeys(Keys.ARROW_LEFT);
        await("images-at", "1,800");
        awaitGrey(1_800);
        shape(390, 844, "dark");
        screenshot("page-images-phone");
        assertEquals(
                390L,
                browser.executeScript("return document.documentElement.scrollWidth"),
                "a phone has to scroll sideways");
        assertEquals(List.of(), consoleErrors());
    }

    private void aProbeIsChosenAmongThoseOfSeveralSets(ImageArchive archive, WebElement slider) throws IOException {
        SampleImages.writeAttended(archive, 3_000, List.of("pets", "cars"));
        feed(List.of(SampleRun.images(3_000)));
        await("images-at", "3,000");
        new WebDriverWait(browser, Duration.ofSeconds(10)).until(unused -> panel(4).contains("probe on pets looks"));
        assertTrue(panel(4).endsWith("70.00 %, of row 2, column 2 of 2"), panel(4));
        WebElement set = browser.findElement(By.id("images-set"));
        assertEquals("pets\ncars", set.getText().replaceAll(" *\n *", "\n").trim());
        new Select(set).selectByVisibleText("cars");
        new WebDriverWait(browser, Duration.ofSeconds(10)).until(unused -> panel(4).contains("probe on cars looks"));
        assertTrue(panel(4).endsWith("70.00 %, of row 1, column 1 of 2"), panel(4));
        assertEquals(
                2,
                browser.findElements(By.cssSelector("#pictures li:first-child .heads canvas"))
                        .size());
        // The choice is kept at another step, as far as that has such a probe.
        slider.sendKeys(Keys.ARROW_LEFT);
        await("images-at", "2,400");
        new WebDriverWait(browser, Duration.ofSeconds(10)).until(unused -> panel(4).contains("probe looks"));
        slider.sendKeys(Keys.ARROW_RIGHT);
        await("images-at", "3,000");
        new WebDriverWait(browser, Duration.ofSeconds(10)).until(unused -> panel(4).contains("probe on "));
        screenshot("page-images-sets");
    }

    private String heading(int image) {
        return browser.findElements(By.cssSelector("#pictures h3")).get(image).getText();
    }

    /** What a panel of the first image says to those who do not see it. */
    private String panel(int column) {
        WebElement canvas =
                browser.findElements(By.cssSelector("#pictures canvas")).get(column);
        assertEquals("img", canvas.getAttribute("role"));
        return canvas.getAttribute("aria-label");
    }

    /** The predictions of a step are drawn, and beside them nothing. */
    private void awaitGrey(long step) {
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(unused -> List.of(0L, 0L, 255L * 1000 + SampleImages.grey(step), 0L)
                        .equals(browser.executeScript(
                                "return [...document.querySelectorAll('#pictures canvas')].slice(4).map(c => {"
                                        + "const copy = document.createElement('canvas')"
                                        + ".getContext('2d', { willReadFrequently: true });"
                                        + "copy.drawImage(c, 0, 0);"
                                        + "const d = copy.getImageData(3, 3, 1, 1).data;"
                                        + "return d[3] * 1000 + d[0]; })")));
    }
}
