package io.rasterflow.tests.endtoend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.tests.OpenPage;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.support.ui.Select;

/** Every view of the page of a real run, held against the journals and files of that run. */
final class RealViews {

    private static final List<String> TRAINERS = List.of("trainer-1", "trainer-2");

    private final ChromeDriver browser;
    private final OpenPage page;
    private final Path run;

    /** @param run its directory */
    RealViews(ChromeDriver browser, Path run) {
        this.browser = browser;
        this.page = new OpenPage(browser);
        this.run = run;
    }

    /** Of a run that rests, whose weights were probed at first and now, by the kind that judges it and by kNN, and that has an alarm. */
    void assertShowWhatIsJournalled() throws IOException {
        List<Event> events = journalled();
        List<Event.Step> steps = all(Event.Step.class, events);
        theRun(steps, all(Event.Validation.class, events));
        theTime(steps);
        theCluster(steps);
        theScience(all(Event.Probe.class, events));
        theData(all(Event.Input.class, events));
        theImages(all(Event.Images.class, events));
        theAlarms(all(Event.Alarm.class, events));
    }

    /** Of a run that goes on: its curves grow while they are looked at. */
    void assertFollow() {
        page.visit("run");
        String steps = page.text("progress-steps");
        Map<Double, Double> curve = points("loss", "training");
        page.await(
                () -> "the curve of the loss stays " + curve,
                () -> points("loss", "training").size() > curve.size());
        page.await(() -> "the page stays at " + steps, () -> !page.text("progress-steps")
                .equals(steps));
        page.visit("data");
        page.assertDrawn("queues", "sources", "rates");
        assertTrue(page.text("stages").matches("(?s).*decode .* [1-9][0-9,.]* \\S+ [kMG]?B/s.*"), page.text("stages"));
    }

    /** Of a run that rests: it has every step that is journalled, and no other. */
    void assertCurveOfTheLoss() throws IOException {
        page.visit("run");
        isCurveOfTheLoss(all(Event.Step.class, journalled()));
    }

    // ---- The views

    private void theRun(List<Event.Step> steps, List<Event.Validation> validations) {
        page.visit("run");
        isCurveOfTheLoss(steps);
        Map<Double, Double> validated = new TreeMap<>();
        validations.forEach(validation -> validated.put((double) validation.step(), validation.loss()));
        assertTrue(
                isClose(validated, points("loss", "validation")),
                () -> "the curve is " + points("loss", "validation") + ", not " + validated);
        List<Event.Step> own = of(0, steps).toList();
        Event.Step last = own.get(own.size() - 1);
        assertTrue(
                page.text("progress-steps").startsWith(String.format(Locale.ROOT, "step %,d of ", last.step())),
                page.text("progress-steps"));
        assertEquals(last.loss(), Double.parseDouble(page.text("tile-loss")), 1e-4);
        assertEquals("2 ranks", page.text("tile-world"));
        page.assertDrawn("loss", "throughput", "rate", "norm");
    }

    private void isCurveOfTheLoss(List<Event.Step> steps) {
        Map<Double, Double> losses = new TreeMap<>();
        of(0, steps).forEach(step -> losses.put((double) step.step(), step.loss()));
        page.await(
                () -> "the curve is " + points("loss", "training") + ", not " + losses,
                () -> isClose(losses, points("loss", "training")));
    }

    /** Its parts, of all ranks and of each, are those of the journalled steps and leave nothing out. */
    private void theTime(List<Event.Step> steps) {
        page.visit("time");
        page.assertDrawn("time", "input");
        String finding = page.text("finding-time");
        double all = steps.stream().mapToDouble(step -> step.ledger().total()).sum();
        Ledger.PARTS.forEach((part, seconds) -> {
            double share = steps.stream()
                    .mapToDouble(step -> seconds.applyAsDouble(step.ledger()))
                    .sum();
            String told = finding.replaceAll(".*of all time: (.*, )?" + part + " ([0-9.]+) %.*", "$2");
            assertEquals(100 * share / all, Double.parseDouble(told), 0.06, part + " in " + finding);
        });
        for (int rank = 0; rank < 2; rank++) {
            String name = "rank " + rank;
            double bar = number("let sum = 0; const data = Chart.getChart('chart-time').data;"
                    + "for (const part of data.datasets) sum += part.data[data.labels.indexOf('" + name
                    + "')]; return sum");
            Event.Step some = of(rank, steps).findAny().orElseThrow();
            DoubleSummaryStatistics took =
                    of(rank, steps).mapToDouble(step -> step.ledger().total()).summaryStatistics();
            assertTrue(bar >= took.getMin() && bar <= took.getMax(), () -> name + ": " + bar + " s, but " + took);
            assertTrue(rows("pace").stream().anyMatch(row -> row.startsWith(name + " " + some.node() + " ")), name);
        }
        page.await(() -> "of processor and memory: " + page.text("usage"), () -> nodes("usage")
                .equals(List.of("main", "trainer-1", "trainer-2")));
        assertEquals(TRAINERS, nodes("queues"));
    }

    private void theCluster(List<Event.Step> steps) {
        page.visit("cluster");
        Event.Step last = steps.get(steps.size() - 1);
        assertEquals("2 ranks", page.text("cluster-world"));
        assertEquals(Long.toString(last.generation()), page.text("cluster-generation"));
        assertEquals("3", page.text("cluster-nodes"));
        for (int rank = 0; rank < 2; rank++) {
            String begin = of(rank, steps).findAny().orElseThrow().node() + " " + rank + " ";
            assertTrue(
                    rows("nodes").stream().anyMatch(row -> row.startsWith(begin) && row.contains(" up ")),
                    () -> begin + "is not in " + page.text("nodes"));
        }
        assertTrue(page.text("events").contains("pause, asked by"), page.text("events"));
    }

    private void theScience(List<Event.Probe> probes) {
        page.visit("science");
        List<String> measured = probes.stream()
                .collect(Collectors.groupingBy(Event.Probe::step, TreeMap::new, Collectors.toList()))
                .descendingMap()
                .values()
                .stream()
                .map(same -> String.format(
                        Locale.ROOT,
                        "%,d %.4f %.2f %% %.2f %%",
                        same.get(0).step(),
                        same.get(0).validationLoss(),
                        100 * accuracy("attentive", same),
                        100 * accuracy("knn", same)))
                .toList();
        assertEquals(2, measured.size());
        page.await(() -> rows("probes") + " is not " + measured, () -> rows("probes")
                .equals(measured));
        page.assertDrawn("probe", "correlation", "kinds", "layers");
        assertTrue(
                page.text("finding-kinds")
                        .matches("kNN \\S+ points (above|below) attentive on average over 2 checkpoints.*"),
                page.text("finding-kinds"));
        Event.Probe knn = probes.stream()
                .filter(probe -> probe.kind().equals("knn") && probe.step() > 0)
                .findAny()
                .orElseThrow();
        Map<Double, Double> layers = new TreeMap<>();
        knn.layers().forEach(layer -> layers.put((double) layers.size(), 100 * layer.accuracy()));
        assertEquals(2, layers.size(), "the model has two blocks");
        new Select(browser.findElement(By.id("layers"))).selectByValue("knn");
        page.await(
                () -> "the layers are " + points("layers", "step " + knn.step()) + ", not " + layers,
                () -> isClose(layers, points("layers", "step " + knn.step())));
    }

    private void theData(List<Event.Input> inputs) {
        page.visit("data");
        Map<String, Event.Input> newest = new TreeMap<>();
        inputs.forEach(input -> newest.put(input.node(), input));
        assertEquals(TRAINERS, List.copyOf(newest.keySet()));
        long decoded = newest.values().stream()
                .flatMap(input -> input.stages().stream())
                .filter(stage -> stage.name().equals("decode"))
                .mapToLong(Event.Input.Stage::items)
                .sum();
        assertTrue(
                page.text("stages").contains(String.format(Locale.ROOT, "decode %,d ", decoded)), page.text("stages"));
        Event.Input.Source source = newest.values().stream()
                .map(input -> input.sources().get(0))
                .max(Comparator.comparingLong(Event.Input.Source::images))
                .orElseThrow();
        assertEquals(
                String.format(Locale.ROOT, "%s %,d 100.00 %% %.2f", source.name(), source.images(), source.epoch()),
                page.text("data-sources"));
        page.assertDrawn("queues", "sources");
        page.await(() -> "of the caches: " + page.text("caches"), () -> nodes("caches")
                .containsAll(TRAINERS));
        assertEquals("no bad sample", page.text("quarantine"));
    }

    /** Every panel is, dot for dot, its part of the picture that the run has left. */
    private void theImages(List<Event.Images> sheets) throws IOException {
        page.visit("images");
        List<Long> drawn =
                sheets.stream().map(Event.Images::step).distinct().sorted().toList();
        assertEquals(2, drawn.size());
        assertSheet(drawn.get(1));
        browser.findElement(By.id("images-step")).sendKeys(Keys.ARROW_LEFT);
        assertSheet(drawn.get(0));
    }

    private void assertSheet(long step) throws IOException {
        Path folder = run.resolve(String.format(Locale.ROOT, "images/step-%08d", step));
        JsonNode sheet =
                new ObjectMapper().readTree(folder.resolve("sheet.json").toFile());
        BufferedImage picture = ImageIO.read(folder.resolve("sheet.png").toFile());
        int size = sheet.get("size").intValue();
        int cell = size + sheet.get("gap").intValue();
        int images = sheet.get("images").size();
        int panels = sheet.get("panels").size();
        List<int[]> expected = new ArrayList<>();
        for (int i = 0; i < images * panels; i++) {
            expected.add(picture.getRGB(i % panels * cell, i / panels * cell, size, size, null, 0, size));
        }
        page.await("images-at", String.format(Locale.ROOT, "%,d", step));
        page.await(() -> "the panels are not those of " + folder + ": " + page.text("images-note"), () -> {
            List<int[]> shown = panels();
            return shown.size() == expected.size()
                    && IntStream.range(0, shown.size()).allMatch(i -> isAlike(expected.get(i), shown.get(i)));
        });
    }

    private void theAlarms(List<Event.Alarm> alarms) {
        Event.Alarm alarm =
                alarms.stream().filter(Event.Alarm::raised).findFirst().orElseThrow();
        assertTrue(page.text("alarms").contains(alarm.text()), page.text("alarms"));
        page.visit("alarms");
        String standing = page.text("standing");
        assertTrue(standing.contains(alarm.text()) && standing.contains(alarm.advice()), standing);
        assertEquals(Integer.toString(rows("standing").size()), page.text("alarm-count"));
    }

    // ---- What is journalled

    private List<Event> journalled() throws IOException {
        try (Stream<Event> events = Journals.read(run)) {
            return events.toList();
        }
    }

    private static <E extends Event> List<E> all(Class<E> kind, List<Event> events) {
        return events.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    private static Stream<Event.Step> of(int rank, List<Event.Step> steps) {
        return steps.stream().filter(step -> step.rank() == rank);
    }

    private static double accuracy(String kind, List<Event.Probe> probes) {
        return probes.stream()
                .filter(probe -> probe.kind().equals(kind))
                .findAny()
                .orElseThrow()
                .accuracy();
    }

    // ---- What is shown

    /** The points of a curve: values by step. */
    private Map<Double, Double> points(String chart, String curve) {
        List<?> points = (List<?>) browser.executeScript("const set = Chart.getChart('chart-" + chart
                + "').data.datasets.find(one => one.label === '" + curve + "');"
                + "return set ? set.data.map(point => [point.x, point.y]) : []");
        Map<Double, Double> curveOf = new TreeMap<>();
        for (Object point : points) {
            List<?> pair = (List<?>) point;
            curveOf.put(((Number) pair.get(0)).doubleValue(), ((Number) pair.get(1)).doubleValue());
        }
        return curveOf;
    }

    private double number(String script) {
        return ((Number) browser.executeScript(script)).doubleValue();
    }

    private static boolean isClose(Map<Double, Double> expected, Map<Double, Double> shown) {
        return expected.keySet().equals(shown.keySet())
                && expected.entrySet().stream().allMatch(e -> Math.abs(e.getValue() - shown.get(e.getKey())) < 1e-4);
    }

    /** A canvas keeps the colour of what shines through less exactly. */
    private static boolean isAlike(int[] expected, int[] shown) {
        return expected.length == shown.length
                && IntStream.range(0, shown.length).allMatch(i -> {
                    Color one = new Color(expected[i], true);
                    Color other = new Color(shown[i], true);
                    int[] differences = {
                        one.getRed() - other.getRed(),
                        one.getGreen() - other.getGreen(),
                        one.getBlue() - other.getBlue()
                    };
                    return one.getAlpha() == other.getAlpha()
                            && Arrays.stream(differences)
                                    .allMatch(difference -> Math.abs(difference) * one.getAlpha() <= 255);
                });
    }

    private List<String> rows(String table) {
        return page.text(table).lines().toList();
    }

    /** The first column, in order. */
    private List<String> nodes(String table) {
        return rows(table).stream()
                .map(row -> row.replaceAll(" .*", ""))
                .sorted()
                .toList();
    }

    /** The dots of the panels of the pictures, from the first image on. */
    private List<int[]> panels() {
        List<?> urls = (List<?>) browser.executeScript(
                "return [...document.querySelectorAll('#pictures .panels canvas')].map(panel => panel.toDataURL())");
        List<int[]> panels = new ArrayList<>();
        for (Object url : urls) {
            byte[] png = Base64.getDecoder().decode(url.toString().replaceFirst("^data:image/png;base64,", ""));
            try {
                BufferedImage panel = ImageIO.read(new ByteArrayInputStream(png));
                panels.add(panel.getRGB(0, 0, panel.getWidth(), panel.getHeight(), null, 0, panel.getWidth()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return panels;
    }
}
