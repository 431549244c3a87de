package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.report.Browser;
import io.rasterflow.monitoring.report.Conclusions;
import io.rasterflow.monitoring.report.ReportPage;
import io.rasterflow.monitoring.report.RunHistory;
import io.rasterflow.tests.Paired;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Paired
class ReportTest {

    private static final Pattern SVG = Pattern.compile("(?s)<svg .*?</svg>");

    @TempDir
    private Path run;

    @TempDir
    private Path other;

    private RunHistory journalled(List<Event> events) throws IOException {
        try (Journal journal = Journal.open(run, "main")) {
            events.forEach(journal::append);
        }
        return RunHistory.read(run);
    }

    private static String words(RunHistory history) {
        return String.join("\n", Conclusions.of(history));
    }

    private static Event.Validation validation(long step, double loss) {
        return new Event.Validation(SampleRun.at(step), "trainer-0", step, loss, 5_000, 1, "model");
    }

    private static Event.Probe probe(long step, double accuracy, double loss) {
        return new Event.Probe(SampleRun.at(step), "probe-0", step, "knn", accuracy, loss, 2_000, 5_000, 1, "", 1);
    }

    @Test
    void severalSetsAreToldByTheirMeanAndOneByOne() throws Exception {
        List<Event> events = new ArrayList<>();
        for (long step = 0; step < 1_000; step += 200) {
            double loss = SampleRun.validationLoss(step);
            long time = SampleRun.at(step);
            events.add(validation(step, loss));
            events.add(new Event.Probe(time, "main", step, "knn", 0.6 - 0.2 * loss, loss, 500, 2_500, 1, "pets", 2));
            events.add(new Event.Probe(time, "main", step, "knn", 0.5 - 0.1 * loss, loss, 500, 2_500, 1, "cars", 2));
        }
        RunHistory history = journalled(events);
        String text = words(history);
        assertTrue(
                text.contains("average of the knn probe over its sets went from 41.27 % untrained to 50.18 %"), text);
        assertTrue(text.contains("first and last probe: pets 41.70 % → 53.57 %, cars 40.85 % → 46.78 %."), text);
        assertTrue(text.contains("r = -1.000"), text);
        try (Journal journal = Journal.open(other, "main")) {
            SampleRun.until(400).forEach(journal::append);
        }
        String page = ReportPage.render(history, Optional.empty(), Map.of("the other", RunHistory.read(other)));
        assertTrue(page.contains("<h2>Compared with other runs</h2>"), page);
        assertTrue(page.contains("<td>the other</td>\n<td>2,140,000</td>\n<td>400</td>\n<td>102,400</td>"), page);
        List<String> overlaid = plots(page).stream()
                .filter(plot -> plot.contains(">the other</text>"))
                .toList();
        assertEquals(2, overlaid.size(), "validation losses and accuracies of both");
        assertTrue(page.contains("<p>attentive probe: needs 3 points, has 1.</p>"), page);
        assertTrue(
                page.contains("No law: a scaling law needs at least 3 runs of different sizes but 1 is given."), page);
        assertTrue(page.contains("<li>left out: the journals of this run tell of no start of a run</li>"), page);
        assertTrue(overlaid.get(0).contains(">this run</text>"), overlaid.get(0));
        assertTrue(page.contains("<th>knn average</th>\n<th>knn pets</th>\n<th>knn cars</th>"), page);
        assertTrue(page.contains("knn average probe, top-1 in %"), "the correlation is of the mean");
    }

    @Test
    void runsOfSeveralSizesTellTogether() throws Exception {
        RunHistory history = journalled(SizedRun.events(3_000_000, "pixels"));
        Map<String, RunHistory> others = new LinkedHashMap<>();
        for (long parameters : new long[] {30_000, 100_000, 300_000, 1_000_000}) {
            Path directory = other.resolveSibling("sized-" + parameters);
            SizedRun.write(directory, parameters, "pixels");
            others.put("p" + parameters, RunHistory.read(directory));
        }
        String page = ReportPage.render(history, Optional.empty(), others);
        assertTrue(page.contains("<h2>Loss and accuracy over the runs</h2>"), page);
        assertTrue(
                Pattern.compile(
                                "<p>attentive probe: r = -0\\.\\d{3} \\(95 % -[01]\\.\\d\\d to -[01]\\.\\d\\d\\), rho = ")
                        .matcher(page)
                        .find(),
                page);
        String pairs = plots(page).stream()
                .filter(plot -> plot.contains(" over the runs</text>"))
                .findFirst()
                .orElseThrow();
        for (String name : List.of("this run", "p30000", "p1000000")) {
            assertTrue(pairs.contains(">" + name + "</text>"), name);
            assertEquals(2, pairs.split("<title>" + name + ": ", -1).length - 1, "trained weights of " + name);
        }
        assertTrue(page.contains("Law in parameters (5 runs: the runs of 25,600 samples)"), page);
        assertTrue(page.contains("<li>next size: 9000000 parameters: loss 0.3"), page);
        assertTrue(page.contains("<li>no law: needs 3 different sizes, has 1</li>"), page);
    }

    @Test
    void aRunThatDiedIsToldAndDrawnInOneFile() throws Exception {
        List<Event> events = new ArrayList<>(SampleRun.until(1_000));
        events.set(0, SampleRun.priced());
        LongStream.of(0, 400, 1_000).mapToObj(PageViewsTest::knn).forEach(events::add);
        events.add(SampleRun.machine());
        events.add(SampleRun.badSample(700, 1));
        events.add(SampleRun.badSample(701, 2));
        events.add(SampleRun.thumbnail(701, 2));
        events.add(SampleRun.curated("web"));
        for (long step : new long[] {300, 600, 999}) {
            events.add(new Event.Input(
                    SampleRun.at(step),
                    "trainer-0",
                    List.of(new Event.Input.Stage("decode", 512, 1L << 33, 1.5, 3)),
                    List.of(new Event.Input.Source("<b>web</b>", step, step / 999.0 / 4))));
        }
        events.sort(Comparator.comparingLong(Event::timeMillis));
        events.add(SampleRun.alarm("loss-spike", "", true, 400, 0.9));
        events.add(SampleRun.alarm("loss-spike", "", false, 450, 0.4));
        events.add(SampleRun.alarm("loss-spike", "", true, 600, 0.9));
        events.add(SampleRun.alarm("loss-spike", "", false, 650, 0.4));
        events.add(SampleRun.alarm("disk", "trainer-0", true, 990, 1));
        events.add(SampleRun.usage("trainer-0", 500, 0.25));
        events.add(SampleRun.usage("trainer-0", 900, 0.75));
        events.add(SampleRun.onGpu("trainer-1", 900));
        SampleImages.write(new ImageArchive(run), 800);
        SampleImages.writeAttended(new ImageArchive(run), 1_000, List.of(""));
        RunHistory history = journalled(events);
        String text = words(history);
        assertTrue(text.contains("The journals tell of no end"), text);
        assertTrue(text.contains("is of step 1,000 of 1,600"), text);
        assertTrue(text.matches("(?s).*Training loss fell from 0\\.\\d{4} .* to 0\\.3\\d{3} .*"), text);
        assertTrue(text.contains("Validation loss fell from 0.9150 at step 0 to 0.3172 at step 1,000"), text);
        assertTrue(text.contains("The last 20 % of its steps gained 0.0045 of that, 0.8 % of the whole fall"), text);
        assertTrue(text.contains("The attentive probe went from 78.90 % untrained to 84.17 %"), text);
        assertTrue(text.contains("The knn probe went from 64.00 % untrained to 69.98 %"), text);
        assertTrue(text.contains("the lower the validation loss, the higher the accuracy"), text);
        assertTrue(text.contains("went into compute"), text);
        assertTrue(text.contains("What the probes cost: 9 probes took 59.7 s; "), text);
        assertTrue(text.matches("(?s).*; training lost -?\\d\\.\\d % of its time to them \\(95 %: .*"), text);
        assertTrue(text.contains("held for 0.11 hours together, pauses included, which cost 0.17 at the"), text);
        assertTrue(text.contains("256,000 images were trained on, 12.80 passes over the data, and 2 were bad"), text);

        assertTrue(
                text.contains(
                        "An alarm stands since step 990, disk (trainer-0): the loss of step 990 is <b>far</b> above;"
                                + " try: look."),
                text);
        assertTrue(
                text.contains("The alarm loss spike was raised and is over, 2 times, the last from step 600 to 650:"
                        + " the loss of step 600 is <b>far</b> above; the loss is near its median."),
                text);
        assertFalse(text.contains("No alarm"), text);

        String page = ReportPage.render(
                history,
                Optional.of("name = \"a run\"\ntrain { steps = 1600 }\nstore.password = hunter2\n"
                        + "train = [\"https://me:hunter3@example.org/a-{0..3}.tar?X-Amz-Signature=hunter4\"]\n"),
                Map.of());
        for (String part : List.of(
                "<h1>Report of fashion-aim</h1>",
                "<h2>Conclusions</h2>",
                "<h2>Where the time went</h2>",
                "<td>&lt;b&gt;web&lt;/b&gt;</td>",
                "<td>8.6 GB</td>",
                "<td>18,000</td>\n<td>duplicate 500, small 1,500</td>",
                "<td>A &lt;processor&gt;</td>",
                "<td>17.2 GB</td>",
                "<td>trainer-0</td>\n<td>50.00 %</td>\n<td>3.0 GB</td>\n<td>500.0 MB</td>\n<td>12.0 GB</td>\n<td>-</td>",
                "<td>-</td>\n<td>cuda:0: 60.0 GB of 80.0 GB</td>",
                "<td>not an image: 0 bytes</td>",
                "checkpoints/step-00001000",
                "bad-sample ×2",
                "from the left: truth, shown, predicted, error, attention.",
                "Attention is what the query of the probe takes of each patch",
                "train { steps = 1600 }",
                "https://(left out)@example.org/a-{0..3}.tar?(left out)",
                "store.password = &quot;(left out)&quot;")) {
            assertTrue(page.contains(part), part + " is missing");
        }
        assertFalse(page.contains("hunter") || page.contains("<b>"), "secrets and markup of others");
        assertFalse(page.contains("Not journalled"), page.substring(0, 200));
        List<String> plots = plots(page);
        String kinds = plots.get(3);
        assertTrue(kinds.contains("aria-label=\"Accuracy: knn against attentive\""), kinds);
        assertEquals(3, kinds.split("<title>step ", -1).length - 1, kinds);
        assertTrue(kinds.contains("step 1,000: 84.17 % and 69.98 %"), kinds);
        String layers = plots.get(4);
        assertTrue(layers.contains(">knn, untrained</text>") && layers.contains(">knn, step 1,000</text>"), layers);
        byte[] newest = Files.readAllBytes(run.resolve("images/step-00001000/sheet.png"));
        String picture = "src=\"data:image/png;base64," + Base64.getEncoder().encodeToString(newest) + "\"";
        assertTrue(page.contains(picture), "the newest picture is missing");
        String sample = "<img alt=\"k2 of train-00003.tar at step 701\" src=\"data:image/png;base64,"
                + SampleRun.thumbnail(701, 2).png() + "\">";
        assertTrue(page.contains(sample), "the bad sample is not shown");
        loadsNothing(page.replace("<img alt=\"What the model predicts of 2 images\" " + picture, "")
                .replace(sample, ""));
        assertEquals(14, plots.size());
        assertTrue(plots.get(0).contains(">training</text>") && plots.get(0).contains(">validation</text>"));
        assertTrue(plots.get(2).contains("r = -"), plots.get(2).substring(0, 300));
        for (String part : Ledger.PARTS.keySet()) {
            assertTrue(plots.get(8).contains(">" + part + "</text>"), part);
            assertTrue(plots.get(9).contains(">" + part + "</text>"), part);
        }
        assertTrue(plots.get(9).contains(">1</text>") && !plots.get(9).contains(">0.5</text>"), plots.get(9));
        assertTrue(plots.get(10).contains("Waiting for images"), plots.get(10));
        assertTrue(plots.get(11).contains("Items inside the input pipelines"), plots.get(11));
        assertTrue(plots.get(12).contains("Images per second by source"), plots.get(12));
        assertTrue(plots.get(13).contains("Epochs by source"), plots.get(13));
    }

    private static void loadsNothing(String page) {
        String elsewhere = page.replace("http://www.w3.org/2000/svg", "");
        Matcher loading = Pattern.compile(
                        "(?i)<(script|link|img|iframe|object|embed|base)\\b|\\b(src|href)\\s*=|@import|url\\((?!#)")
                .matcher(elsewhere);
        assertFalse(loading.find(), "the page loads something");
    }

    private static List<String> plots(String page) throws Exception {
        List<String> plots = new ArrayList<>();
        Set<String> clips = new LinkedHashSet<>();
        for (Matcher matcher = SVG.matcher(page); matcher.find(); ) {
            String plot = matcher.group();
            var svg = DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(new ByteArrayInputStream(plot.getBytes(StandardCharsets.UTF_8)));
            assertTrue(svg.getElementsByTagName("path").getLength() > 5, plot);
            assertFalse(plot.contains("NaN") || plot.contains("Infinity"), plot);
            assertTrue(clips.add(svg.getElementsByTagName("clipPath")
                    .item(0)
                    .getAttributes()
                    .getNamedItem("id")
                    .getNodeValue()));
            plots.add(plot);
        }
        return plots;
    }

    @Test
    void whatIsTooLittleToJudgeByIsSaid() throws IOException {
        List<Event> events = new ArrayList<>(List.of(SampleRun.started(0)));
        events.addAll(List.of(validation(0, 2), probe(0, 0.5, 2)));
        for (long step = 1; step <= 40; step++) {
            events.add(SampleRun.step(0, step));
        }
        events.addAll(List.of(validation(20, 1), probe(20, 0.6, 1), validation(40, 1.5), probe(40, 0.501, 1.5)));
        String text = words(journalled(events));
        assertTrue(text.contains("over 3 probes is too few to say"), text);
        assertTrue(text.contains("It was lowest, 1.0000, at step 20 and has risen by 50.0 % since"), text);
        assertTrue(text.contains("+0.10 points, which chance alone could make"), text);
    }

    @Test
    void aRunThatWasResumedForgetsWhatIsDoneAgain() throws IOException {
        List<Event> events = new ArrayList<>(SampleRun.until(400));
        events.add(SampleRun.started(200));
        for (long step = 201; step <= 300; step++) {
            events.add(SampleRun.step(0, step, SampleRun.at(400) + step));
        }
        events.add(new Event.RunEnded(SampleRun.at(2_000), "main", 300, "failed", "the disk is full"));
        String text = words(journalled(events));
        assertTrue(text.contains("The run failed at step 300 of 1,600"), text);
        assertTrue(text.contains("(the disk is full). It was started 2 times."), text);
        assertTrue(text.contains("at step 200 (5,000 images)"), text);
    }

    @Test
    void lossesThatAreNoNumbersAndARunWithoutAnyAreDrawn() throws Exception {
        List<Event> events = new ArrayList<>(List.of(SampleRun.started(0)));
        Event.Step step = SampleRun.step(0, 1);
        for (long number = 1; number <= 3; number++) {
            events.add(new Event.Step(
                    step.timeMillis(), "n", 0, 1, 1, number, 0, Double.NaN, 1, 0.1, 8, step.ledger(), Double.NaN));
        }
        RunHistory history = journalled(events);
        String text = words(history);
        assertTrue(text.contains("no finite number in 3 steps, first in step 1"), text);
        assertTrue(text.contains("never validated"), text);
        assertTrue(text.contains("No probe was made"), text);
        String page = ReportPage.render(history, Optional.empty(), Map.of());
        assertTrue(
                page.contains(
                        "Not journalled, so not shown: loss, accuracy, correlation, layers, queues, source rates, epochs."),
                page);
        assertTrue(text.contains("No alarm is journalled."), text);
        assertTrue(page.contains("holds no config.conf"), page);
        assertEquals(6, plots(page).size());
    }

    @Test
    void aTornJournalIsReadAsFarAsItGoes() throws IOException {
        journalled(SampleRun.until(1_600));
        Path file;
        try (Stream<Path> files = Files.list(run.resolve("journal/main"))) {
            file = files.filter(name -> name.toString().endsWith(".cq4"))
                    .findFirst()
                    .orElseThrow();
        }
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 700_001));
        RunHistory history = RunHistory.read(run);
        long step = history.status().step();
        assertTrue(step > 200 && step < 1_600, "step " + step);
        assertTrue(words(history).contains("tell of no end"), words(history));
        loadsNothing(ReportPage.render(history, Optional.empty(), Map.of()));
    }

    @Test
    void whereThereIsNothingToReadThatIsSaid() throws IOException {
        IOException none = assertThrows(IOException.class, () -> RunHistory.read(run));
        assertTrue(none.getMessage().startsWith("no journal in " + run), none.getMessage());
        Path folder = Files.createDirectories(run.resolve("journal/n"));
        Files.writeString(folder.resolve("20010101-00F.cq4"), "garbage ".repeat(1_000));
        IOException garbage = assertThrows(IOException.class, () -> RunHistory.read(run));
        assertTrue(garbage.getMessage().contains("hold no event that can be read"), garbage.getMessage());
    }

    @Test
    void aBrowserPrintsIt() throws Exception {
        assertEquals(Optional.empty(), Browser.find(run.toString()));
        Optional<Browser> browser = Browser.find(System.getenv("PATH"));
        assumeTrue(browser.isPresent(), "no browser: apt-get install chromium");
        Path page = Files.writeString(
                run.resolve("report.html"),
                ReportPage.render(journalled(SampleRun.until(400)), Optional.empty(), Map.of()));
        Path pdf = run.resolve("report.pdf");
        browser.get().print(page, pdf);
        byte[] bytes = Files.readAllBytes(pdf);
        assertEquals("%PDF-", new String(bytes, 0, 5, StandardCharsets.US_ASCII));
        assertTrue(bytes.length > 20_000, bytes.length + " bytes");
    }
}
