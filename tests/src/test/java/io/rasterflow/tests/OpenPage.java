package io.rasterflow.tests;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.support.ui.WebDriverWait;

/** The live page as a browser shows it. */
public final class OpenPage {

    private final ChromeDriver browser;
    private final Duration patience;

    public OpenPage(ChromeDriver browser) {
        this(browser, Duration.ofSeconds(20));
    }

    /** @param patience that a wait may take */
    public OpenPage(ChromeDriver browser, Duration patience) {
        this.browser = browser;
        this.patience = patience;
    }

    public String text(String id) {
        return browser.findElement(By.id(id)).getText();
    }

    /** Waits until an element has exactly this text. */
    public void await(String id, String expected) {
        await(
                () -> "#" + id + " is '" + text(id) + "', not '" + expected + "'; console: "
                        + Chromium.consoleErrors(browser),
                () -> text(id).equals(expected));
    }

    /** Waits until something holds. */
    public void await(Supplier<String> otherwise, BooleanSupplier condition) {
        new WebDriverWait(browser, patience).withMessage(otherwise).until(unused -> condition.getAsBoolean());
    }

    /** Goes to a view by its link, as people do. */
    public void visit(String view) {
        browser.findElement(By.cssSelector(".views a[href^='#" + view + "']")).click();
        awaitView(view);
    }

    /** The one view that is shown, whose link says so. */
    public void awaitView(String view) {
        await(
                () -> "no view " + view + " at " + browser.getCurrentUrl(),
                () -> shownViews().equals(List.of("view-" + view))
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
    public void assertDrawn(String... charts) {
        for (String chart : charts) {
            await(
                    () -> chart + " is blank",
                    () -> Chromium.colours(browser, "document.getElementById('chart-" + chart + "')") > 3);
            assertFalse(browser.findElement(By.id("empty-" + chart)).isDisplayed(), chart + " says it has no data");
        }
    }
}
