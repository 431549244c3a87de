package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.compare.Comparison;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.RunState;
import io.rasterflow.monitoring.monitor.RunStatus;
import io.rasterflow.monitoring.monitor.RunUpdate.Cursor;
import io.rasterflow.monitoring.monitor.RunUpdate.Tail;
import io.rasterflow.monitoring.science.ProbeCost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import javax.imageio.ImageIO;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.support.ui.Select;
import org.openqa.selenium.support.ui.WebDriverWait;

/** The views of the page and the files that its charts give. */
@Timeout(120)
class PageViewsTest extends PageFixture {

    static final List<String> VIEWS = List.of("run", "time", "cluster", "science", "data", "images", "alarms");

    @TempDir
    Path downloads;

    @TempDir
    Path other;

    @Override
    Comparison comparison() {
        return Comparison.of(run, List.of(other));
    }

    private void journal(List<Event> events) throws IOException {
        try (Journal journal = Journal.open(other, "main")) {
            events.forEach(journal::append);
        }
    }

    private static Event.Input input(String node, long step, long images) {
        return new Event.Input(
                SampleRun.at(step),
                node,
                List.of(
                        new Event.Input.Stage("fetch", images / 1_000, 40L * images, 2, 1),
                        new Event.Input.Stage("decode", images, 3_000L * images, images / 500.0, 5),
                        new Event.Input.Stage("ready", images / 64, 3_000L * images, images / 250.0, 2)),
                List.of(
                        new Event.Input.Source("web", images * 3 / 4, images / 30_000.0),
                        new Event.Input.Source("curated", images / 4, images / 8_000.0)));
    }

    static Event.Probe knn(long step) {
        double accuracy = 0.70 - 0.1 * (SampleRun.validationLoss(step) - 0.315);
        double loss = SampleRun.validationLoss(step);
        return probe(step, "knn", accuracy, loss);
    }

    /** Beside those that the run is judged by, on four layers of which the third is the best. */
    private static Event.Probe probe(long step, String kind, double accuracy, double loss) {
        List<Event.Probe.Layer> layers = IntStream.range(0, 4)
                .mapToObj(block -> new Event.Probe.Layer(
                        Integer.toString(block), accuracy - 0.02 * Math.abs(block - 2), block == 2))
                .toList();
        return new Event.Probe(
                SampleRun.at(step),
                "probe-0",
                step,
                kind,
                accuracy,
                loss,
                20_000,
                5_000,
                0.9,
                "",
                1,
                true,
                layers,
                0.8);
    }

    /** The same step with a loss of which the end can be foretold. */
    private static Event.Step learning(Event.Step step) {
        double noise = 0.02 * Math.sin(1.7 * step.step() * step.step());
        return SampleRun.with(
                step, 0.28 + 1.5 / Math.sqrt(step.step() + 10) + 30 * step.learningRate() + noise, step.ledger());
    }

    /** A run in which everything that a view can show has happened. */
    static List<Event> run() {
        List<Event> events = new ArrayList<>();
        SampleRun.until(1_000).forEach(event -> events.add(event instanceof Event.Step step ? learning(step) : event));
        LongStream.iterate(0, step -> step <= 1_000, step -> step + 200)
                .mapToObj(PageViewsTest::knn)
                .forEach(events::add);
        for (int node = 0; node < 2; node++) {
            events.add(input("trainer-" + node, 900, 230_000));
            events.add(new Event.Disk(
                    SampleRun.at(900), "trainer-" + node, "runs/a", (node + 1) * 75_000_000_000L, 1L << 40));
        }
        events.add(SampleRun.cache("trainer-0", 890, 30_000_000_000L));
        events.add(SampleRun.cache("trainer-0", 900, 30_400_000_000L));
        events.add(SampleRun.usage("trainer-0", 900, 0.8333));
        events.add(SampleRun.onGpu("trainer-1", 900));
        events.add(SampleRun.badSample(700, 1));
        events.add(SampleRun.badSample(701, 2));
        events.add(SampleRun.thumbnail(702, 2));
        events.add(SampleRun.curated("web"));
        events.add(SampleRun.curated("curated"));
        events.add(SampleRun.alarm("loss-spike", "", true, 400, 0.9));
        events.add(SampleRun.alarm("loss-spike", "", false, 450, 0.4));
        events.add(SampleRun.alarm("disk", "trainer-0", true, 990, 1));
        return events;
    }

    private static RunState folded(List<Event> events) {
        RunState state = new RunState();
        events.forEach(state::apply);
        return state;
    }

    @Test
    void everyViewShowsItsPartAndFollows() {
        feed(run());
        shape(1280, 900, "light");
        browser.get(page + "#data");
        awaitView("data");
        new WebDriverWait(browser, Duration.ofSeconds(20))
                .until(unused -> text("stages").contains("460,000"));
        assertTrue(layoutShift() < 0.02, "the layout moved by " + layoutShift());
        assertTrue(text("stages").matches("(?s)fetch 460 18\\.4 MB 4 s 8\\.696 ms 2 – –.*ready .*"), text("stages"));
        assertEquals("web 172,500 75.00 % 7.67\ncurated 57,500 25.00 % 28.75", text("data-sources"));
        assertTrue(
                text("quarantine")
                        .matches("(?s).* 701 trainer-1 train-00003\\.tar 1,024 k2 not an image: 0 bytes"
                                + " ff d8 ff e0 00 10 4a 46 49 46 00 01 …\n– .* 512 k1 not an image: 0 bytes –"),
                text("quarantine"));
        WebElement picture = browser.findElement(By.cssSelector("#quarantine img"));
        assertEquals("what can be decoded of k2", picture.getAccessibleName());
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(unused -> "2".equals(picture.getDomProperty("naturalWidth")));
        feed(List.of(
                input("trainer-0", 910, 231_000),
                SampleRun.badSample(702, 3),
                SampleRun.cache("trainer-0", 910, 31_000_000_000L)));
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(unused -> text("quarantine").contains("k3"));
        // 1,000 images in 2 seconds.
        assertTrue(text("stages").contains("decode 461,000 1.4 GB 922 s 2 ms 10 500 1.5 MB/s"), text("stages"));
        feed(List.of(SampleRun.step(0, 1_001), input("trainer-1", 920, 231_000), SampleRun.step(0, 1_002)));
        assertTold("queues", "Items inside the stages of the input pipelines over steps: fetch 2, decode 10, ready 4");
        assertDrawn("queues", "rates", "sources", "held", "fetched");
        assertTold("rates", "Images per second of each source over steps: web 188, curated 62.5");
        assertTold("sources", "Epochs of each source over steps: web 7.70, curated 28.88");
        assertTold("held", "Bytes in the cache over steps: now 12.0 GB of 20.0 GB");
        assertTold("fetched", "Bytes fetched per second over steps: now 300.0 MB/s");
        assertEquals("trainer-0 /data/cache 12.0 GB 20.0 GB 12 90 10 3 2 300.0 MB/s 31.0 GB 1", text("caches"));
        assertEquals("curated 12 18,000 2,000 500 small 1,500\nweb 12 18,000 2,000 500 small 1,500", text("curated"));
        assertTrue(text("finding-curated").startsWith("10.00 % of the samples"), text("finding-curated"));
        assertDrawn("duplicates");
        assertTrue(text("pairs").contains("web https://example.org/web-07.tar 00012 00003 5"), text("pairs"));
        assertTrue(text("finding-caches").startsWith("90.00 % of the shards"), text("finding-caches"));
        screenshot("view-data");

        visit("run");
        assertEquals("web 173,250 75.00 % 7.70\ncurated 57,750 25.00 % 28.88", text("sources"));
        aSeriesIsHiddenByItsLegend();
        assertTrue(text("finding-norm").startsWith("largest so far 0.4"), text("finding-norm"));
        screenshot("view-run");

        visit("time");
        assertTrue(text("finding-time").contains("compute 75"), text("finding-time"));
        assertTrue(text("finding-input").startsWith("share of rank 0's step · now 5 %"), text("finding-input"));
        assertEquals("trainer-0 1 5 2\ntrainer-1 1 5 2", text("queues"));
        assertTrue(text("pace").contains("rank 1 trainer-1 1.0"), text("pace"));
        assertTrue(
                text("usage")
                        .matches(
                                "trainer-0 83\\.3 % 90\\.0 % 8 3\\.0 GB 500\\.0 MB 4\\.0 GB 12\\.0 GB 16\\.0 GB – .* ago\n"
                                        + "trainer-1 25\\.0 % – 16 5\\.0 GB 700\\.0 MB 8\\.0 GB – – cuda:0: 60\\.0 GB of 80\\.0 GB .* ago"),
                text("usage"));
        assertEquals(
                "Processor and memory",
                browser.findElement(By.cssSelector("[aria-labelledby='usage-title']"))
                        .getAccessibleName());
        LongStream.rangeClosed(1_001, 1_060).forEach(step -> feed(SampleRun.held(step, 0.1)));
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(unused -> text("pace").contains("by input wait"));
        screenshot("view-time");

        visit("cluster");
        assertTrue(text("waits").startsWith("The others wait for rank 1 (trainer-1) since step 1,0"), text("waits"));
        assertTrue(text("waits").contains("it takes 1.6 times as long"), text("waits"));
        assertTrue(text("nodes").contains("75.0 GB 1.1 TB"), text("nodes"));
        assertEquals("75.0 GB", text("cluster-disk"));
        assertTrue(text("events").contains("generation 1 with 2 ranks"), text("events"));
        screenshot("view-cluster");

        visit("science");
        assertDrawn("probe", "correlation", "kinds", "layers");
        assertTrue(
                text("finding-kinds")
                        .matches(
                                "kNN 1\\d\\.\\d\\d points below attentive on average over 6 checkpoints; of 5 changes 5 went"
                                        + " the same way"),
                text("finding-kinds"));
        assertEquals(
                "kNN probe at step 1,000: best on held-out images is block 2 of 4, 69.98 %", text("finding-layers"));
        assertTrue(text("probe-cost").matches("training lost [−\\d.]+ % of its time to them"), text("probe-cost"));
        ProbeCost cost = folded(run()).status().probeCost();
        assertEquals(12, cost.probes());
        assertTrue(text("probe-cost-figures").startsWith("Time of the probes\n62.4 s\n"), text("probe-cost-figures"));
        assertTrue(
                text("probe-cost-figures")
                        .contains(String.format(
                                Locale.ROOT, "over %d checkpoints\nshortly before and after a probe", cost.measured())),
                text("probe-cost-figures"));
        assertTrue(
                text("figures").matches("(?s)Pearson r\n−[01]\\.\\d{3}\n95 %: −[01]\\.\\d\\d to −[01]\\.\\d\\d.*"),
                text("figures"));
        double expected = folded(run()).status().accuracyExpected().value();
        assertTrue(
                text("figures").contains(String.format(Locale.ROOT, "Accuracy expected\n%.2f %%", 100 * expected)),
                text("figures"));
        TestProbe<RunStatus> asking = kit.createTestProbe();
        monitor.tell(new MonitorActor.GetStatus(asking.ref()));
        RunStatus foretold = asking.receiveMessage();
        assertEquals("", foretold.forecast().reason());
        String atEnd = String.format(
                Locale.ROOT,
                "Training loss\n%.4f\n95 %%: %.4f to %.4f\n",
                foretold.forecast().trainLoss().value(),
                foretold.forecast().trainLoss().interval().low(),
                foretold.forecast().trainLoss().interval().high());
        assertTrue(text("forecast-figures").startsWith(atEnd), text("forecast-figures"));
        assertTrue(
                text("forecast-figures")
                        .contains(String.format(
                                Locale.ROOT,
                                "Accuracy\n%.2f %%",
                                100 * foretold.accuracyAtEnd().value())),
                text("forecast-figures"));
        assertTrue(text("probes").startsWith("1,000 0.3172 84.17 % 69.98 %"), text("probes"));
        feed(List.of(SampleRun.validation(1_200), SampleRun.probe(1_200), knn(1_200)));
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(unused -> text("probes").startsWith("1,200 "));
        screenshot("view-science");
        layersOfAnotherKindAreChosen();
        setsAreShownByTheirMeanAndOneByOne();

        visit("alarms");
        assertEquals("1", text("alarm-count"));
        assertTrue(text("standing").contains("disk, trainer-0"), text("standing"));
        assertTrue(text("past").contains("the loss is near its median, after 10 s"), text("past"));
        screenshot("view-alarms");

        shape(390, 844, "dark");
        for (String view : VIEWS) {
            visit(view);
            Object width = browser.executeScript("return document.documentElement.scrollWidth");
            assertEquals(390L, width, "a phone has to scroll " + view + " sideways");
        }
        assertEquals(List.of(), consoleErrors());
    }

    private void assertTold(String chart, String expected) {
        WebElement canvas = browser.findElement(By.id("chart-" + chart));
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .withMessage(() -> canvas.getDomAttribute("aria-label") + ", not " + expected)
                .until(unused -> expected.equals(canvas.getDomAttribute("aria-label")));
    }

    /** By mouse and by keyboard, and it stays so when news come. */
    private void aSeriesIsHiddenByItsLegend() {
        assertEquals("validation true, training true", legend("loss"));
        String training = "const c = Chart.getChart('chart-loss'); return c.isDatasetVisible(1)";
        WebElement button =
                browser.findElement(By.xpath("//figure[.//canvas[@id='chart-loss']]//button[.='training']"));
        button.click();
        assertEquals("validation true, training false", legend("loss"));
        assertEquals(false, browser.executeScript(training));
        feed(List.of(SampleRun.step(0, 1_003)));
        await("progress-steps", "step 1,003 of 1,600 · epoch 12.84");
        assertEquals(false, browser.executeScript(training));
        assertEquals("validation true, training false", legend("loss"));
        button.sendKeys(Keys.ENTER);
        assertEquals("validation true, training true", legend("loss"));
        assertEquals(true, browser.executeScript(training));
    }

    private String legend(String chart) {
        return browser
                .findElements(By.xpath("//figure[.//canvas[@id='chart-" + chart + "']]//*[contains(@class, 'keys')]/*"))
                .stream()
                .map(entry -> entry.getText() + " " + entry.getDomAttribute("aria-pressed"))
                .collect(Collectors.joining(", "));
    }

    /** The choice is in the address. */
    private void layersOfAnotherKindAreChosen() {
        assertFalse(browser.findElement(By.id("layers")).isDisplayed(), "a choice of one kind");
        feed(List.of(probe(1_200, "linear --layers each", 0.6, 0.317)));
        await("layers", "kNN\nlinear --layers each");
        new Select(browser.findElement(By.id("layers"))).selectByIndex(1);
        assertTrue(
                text("finding-layers").startsWith("linear --layers each probe at step 1,200"), text("finding-layers"));
        assertEquals(page + "#science?layers=linear+--layers+each", browser.getCurrentUrl());
        browser.get("about:blank");
        browser.get(page + "#science?layers=linear+--layers+each");
        awaitView("science");
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(unused -> text("finding-layers").startsWith("linear"));
        new Select(browser.findElement(By.id("layers"))).selectByIndex(0);
        assertEquals(page + "#science", browser.getCurrentUrl());
    }

    private void setsAreShownByTheirMeanAndOneByOne() {
        assertFalse(browser.findElement(By.id("set")).isDisplayed(), "a choice of one set");
        feed(sets());
        await("set", "average of 2 sets\ncars\npets");
        new WebDriverWait(browser, Duration.ofSeconds(10)).until(unused -> text("probe-heads")
                .endsWith("attentive average attentive knn attentive cars attentive pets linear --layers each"));
        assertTrue(text("probes").matches("(?s).*\n0 0\\.9150 55\\.00 % .* 60\\.00 % 50\\.00 % –"), text("probes"));
        assertTrue(text("correlation").contains("over 4 probes"), text("correlation"));
        assertEquals(
                "average",
                new Select(browser.findElement(By.id("set")))
                        .getFirstSelectedOption()
                        .getDomProperty("value"));
        String mean = text("correlation");
        new Select(browser.findElement(By.id("set"))).selectByVisibleText("cars");
        assertEquals(page + "#science?set=cars", browser.getCurrentUrl());
        assertTrue(
                text("correlation").contains("undefined")
                        && !text("correlation").equals(mean),
                text("correlation"));
        browser.get("about:blank");
        browser.get(page + "#science?set=pets");
        awaitView("science");
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(unused -> text("correlation").contains("r = −"));
        assertEquals(
                "pets",
                new Select(browser.findElement(By.id("set")))
                        .getFirstSelectedOption()
                        .getText());
        screenshot("view-science-sets");
        visit("run");
        assertEquals("58.00 %", text("tile-probe"));
        assertEquals("+3.00 pts vs untrained", text("note-probe"));
    }

    /** Of two sets one gets better and the other stays. */
    static List<Event> sets() {
        List<Event> events = new ArrayList<>();
        for (long step = 0; step < 800; step += 200) {
            double loss = SampleRun.validationLoss(step);
            long time = SampleRun.at(step);
            events.add(new Event.Probe(time, "probe-0", step, "attentive", 0.6, loss, 500, 100, 1, "cars", 2));
            double better = 0.5 + 0.02 * step / 200;
            events.add(new Event.Probe(time, "probe-0", step, "attentive", better, loss, 500, 100, 1, "pets", 2));
        }
        return events;
    }

    @Test
    void anAddressIsAViewAndAChartIsAFile() throws IOException {
        List<Event> events = run();
        events.set(0, SampleRun.priced());
        feed(events);
        shape(1280, 900, "light");
        browser.get(page + "#nothing");
        awaitView("run");
        browser.get(page + "#time");
        awaitView("time");
        visit("science");
        visit("run");
        browser.navigate().back();
        awaitView("science");
        browser.navigate().forward();
        awaitView("run");
        browser.findElement(By.cssSelector(".views a[href='#time']")).sendKeys(Keys.ENTER);
        awaitView("time");
        // It is beside the page until it has the focus, and some drivers type into nothing that is there.
        browser.executeScript("document.querySelector('.skip').focus()");
        browser.switchTo().activeElement().sendKeys(Keys.ENTER);
        assertEquals("main", browser.switchTo().activeElement().getDomAttribute("id"));
        awaitView("time");

        browser.executeCdpCommand(
                "Browser.setDownloadBehavior", Map.of("behavior", "allow", "downloadPath", downloads.toString()));
        visit("run");
        await("progress-steps", "step 1,000 of 1,600 · epoch 12.80");
        assertEquals("0.11 rank hours so far, pauses included · cost 0.17", text("finding-throughput"));
        Map<String, Tail> curves = folded(events).since(Cursor.START).curves();
        List<String> table = Files.readAllLines(download("csv-loss", "fashion-aim-loss.csv"));
        assertEquals("step,validation,training", table.get(0));
        assertEquals(
                curves.get("validation"),
                column(table, 1, curves.get("validation").from()));
        assertEquals(curves.get("loss"), column(table, 2, curves.get("loss").from()));
        var picture = ImageIO.read(download("png-loss", "fashion-aim-loss.png").toFile());
        assertTrue(picture.getWidth() > 600 && picture.getHeight() > 300, picture.toString());
        overlaidRunsAreAFileToo();
        visit("time");
        List<String> bars = Files.readAllLines(download("csv-time", "fashion-aim-time.csv"));
        assertTrue(bars.get(0).startsWith("rank,fetch (seconds),decode (seconds),wait (seconds),"), bars.get(0));
        assertTrue(bars.get(2).startsWith("rank 1,0.00"), bars.toString());
        visit("data");
        feed(List.of(input("trainer-0", 910, 231_000), SampleRun.step(0, 1_001)));
        assertTold("rates", "Images per second of each source over steps: web 375, curated 125");
        List<String> rates = Files.readAllLines(download("csv-rates", "fashion-aim-rates.csv"));
        assertEquals("step,web,curated", rates.get(0));
        visit("science");
        List<String> kinds = Files.readAllLines(download("csv-kinds", "fashion-aim-kinds.csv"));
        assertEquals("attentive,kNN,equal,step", kinds.get(0));
        assertTrue(
                kinds.stream().anyMatch(row -> row.startsWith("78.9,63.99") && row.endsWith(",,0")), kinds.toString());
        List<String> layers = Files.readAllLines(download("csv-layers", "fashion-aim-layers.csv"));
        assertEquals("block,\"step 1,000\",untrained", layers.get(0));
        assertEquals(5, layers.size());
        assertTrue(layers.get(3).startsWith("2,69.97"), layers.toString());
        List<String> pairs = Files.readAllLines(download("csv-correlation", "fashion-aim-correlation.csv"));
        assertEquals("validation loss,probe,least squares,step", pairs.get(0));
        assertEquals(7, pairs.size());
        assertTrue(browser.findElement(By.id("compare-science")).isDisplayed());
        new Select(browser.findElement(By.id("compare-probe-x"))).selectByValue("loss");
        assertDrawn("compare-probe");
        List<String> accuracies = Files.readAllLines(download("csv-compare-probe", "fashion-aim-compare-probe.csv"));
        assertEquals("validation loss,this run," + other + ",step", accuracies.get(0));
        assertEquals(List.of(), consoleErrors());
    }

    private void overlaidRunsAreAFileToo() throws IOException {
        await("finding-compare", other + ": no event yet");
        journal(SampleRun.until(400));
        await("finding-compare", other + ": training");
        assertDrawn("compare");
        List<String> table = Files.readAllLines(download("csv-compare", "fashion-aim-compare.csv"));
        assertEquals("images,this run," + other, table.get(0));
        String both = table.stream()
                .filter(line -> line.startsWith("102400,"))
                .findFirst()
                .orElseThrow();
        assertEquals(SampleRun.validationLoss(400), Double.parseDouble(both.split(",")[1]));
        assertEquals(SampleRun.validationLoss(400), Double.parseDouble(both.split(",")[2]));
        assertTrue(table.get(table.size() - 1).matches("256000,0\\.3\\d+,"), table.toString());
        browser.get("about:blank");
        browser.get(page + "#run?loss=training&x=hours");
        await("finding-compare", other + ": training");
        assertEquals(
                "hours",
                new Select(browser.findElement(By.id("compare-x")))
                        .getFirstSelectedOption()
                        .getDomProperty("value"));
        Files.delete(downloads.resolve("fashion-aim-compare.csv"));
        List<String> hours = Files.readAllLines(download("csv-compare", "fashion-aim-compare.csv"));
        assertEquals("hours,this run," + other, hours.get(0));
        double last = Double.parseDouble(hours.get(hours.size() - 1).split(",")[0]);
        assertEquals(1_000 * SampleRun.STEP_SECONDS / 3_600, last, 1e-5);
        screenshot("view-run-compared");
    }

    private Path download(String button, String file) {
        browser.findElement(By.id(button)).click();
        Path path = downloads.resolve(file);
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .withMessage(() -> "no " + path + "; console: " + consoleErrors())
                .until(unused -> Files.exists(path));
        return path;
    }

    /** A curve out of a table, without the lines in which it has no point. */
    private static Tail column(List<String> table, int column, long from) {
        List<Long> steps = new ArrayList<>();
        List<Double> values = new ArrayList<>();
        for (String line : table.subList(1, table.size())) {
            String[] cells = line.split(",", -1);
            if (!cells[column].isEmpty()) {
                steps.add(Long.parseLong(cells[0]));
                values.add(Double.parseDouble(cells[column]));
            }
        }
        return new Tail(from, steps, values);
    }
}
