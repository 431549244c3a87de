package io.rasterflow.tests;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.logging.Level;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** Debian's chromium without a screen. */
public final class Chromium {

    private static final Path BROWSER = Path.of("/usr/bin/chromium");
    private static final Path DRIVER = Path.of("/usr/bin/chromedriver");

    private Chromium() {}

    public static boolean isThere() {
        return Files.isExecutable(BROWSER) && Files.isExecutable(DRIVER);
    }

    /** The test is left out where there is none. */
    public static void require() {
        assumeTrue(isThere(), "no browser: apt-get install chromium chromium-driver");
    }

    /**
     * Starts one; the test is left out where there is none.
     *
     * @param profile an empty folder
     */
    public static ChromeDriver start(Path profile) {
        require();
        ChromeOptions options = new ChromeOptions();
        options.setBinary(BROWSER.toFile());
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
        return new ChromeDriver(
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(DRIVER.toFile())
                        .build(),
                options);
    }

    /**
     * How many colours a canvas shows: few, if nothing is drawn on it.
     *
     * @param canvas an expression of JavaScript
     */
    public static int colours(ChromeDriver browser, String canvas) {
        // Of a copy, for a browser warns when a canvas that it draws on is read again and again.
        Object colours =
                browser.executeScript("const c = " + canvas + "; const copy = document.createElement('canvas');"
                        + "copy.width = c.width; copy.height = c.height;"
                        + "const pen = copy.getContext('2d', { willReadFrequently: true }); pen.drawImage(c, 0, 0);"
                        + "const d = pen.getImageData(0, 0, c.width, c.height).data; const s = new Set();"
                        + "for (let i = 0; i < d.length; i += 4) s.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]);"
                        + "return s.size");
        return ((Number) colours).intValue();
    }

    /** What its console says from warnings on. */
    public static List<String> consoleErrors(ChromeDriver browser) {
        return browser.manage().logs().get(LogType.BROWSER).getAll().stream()
                .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
                .map(LogEntry::getMessage)
                .toList();
    }
}
