package io.rasterflow.tests.endtoend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.cli.Main;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Event.RunStarted.Experiment;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.tests.Paired;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code rasterflow scaling} over journals of runs whose losses follow a law that is known. */
@Paired
class ScalingVerbTest {

    private static final int BATCH = 64;
    private static final String OBJECTIVE = "autoregressive, raster order <b>";

    @TempDir
    private Path directory;

    private static double law(double parameters, double samples) {
        return 0.28 + Math.pow(5e3 / parameters, 0.5) + Math.pow(1.5e3 / samples, 0.7);
    }

    /** The sweep of 4 x 3 sizes; runs of the largest are never told to have ended. */
    private void sweep() throws IOException {
        SplittableRandom random = new SplittableRandom(8);
        for (long steps : new long[] {200, 800, 2_400}) {
            for (long parameters : new long[] {30_000, 100_000, 300_000, 1_000_000}) {
                double loss = law(parameters, BATCH * steps) * (1 + 0.002 * random.nextGaussian());
                write("p" + parameters + "-s" + steps, parameters, steps, loss, OBJECTIVE);
            }
        }
    }

    private void write(String name, long parameters, long steps, double loss, String objective) throws IOException {
        try (Journal journal = Journal.open(directory.resolve("sweep").resolve(name), "main")) {
            journal.append(new Event.RunStarted(
                    1,
                    "main",
                    name,
                    0,
                    steps,
                    BATCH,
                    parameters,
                    20_000,
                    1,
                    "fp32",
                    "",
                    new Experiment(objective, "validation-{00..02}.tar.gz", 6.0 * parameters),
                    null));
            journal.append(new Event.Validation(2, "main", 0, 2.1, 5_000, 1, "model"));
            if (loss > 0) {
                journal.append(new Event.Validation(3, "main", steps, loss, 5_000, 1, "model"));
                journal.append(
                        new Event.Probe(4, "main", steps, "attentive", 0.9 - 0.2 * loss, loss, 2_000, 5_000, 1, "", 1));
            }
            if (steps < 2_400) {
                journal.append(new Event.RunEnded(5, "main", steps, "completed", ""));
            }
        }
    }

    @Test
    void aSweepIsReadFromItsJournalsAndDrawn() throws Exception {
        sweep();
        write("broken", 10_000, 100, 0, OBJECTIVE);
        Path out = directory.resolve("page");
        Rasterflow.Result result =
                new Rasterflow(directory).run("scaling", directory.resolve("sweep"), "--out", out, "--json");
        assertEquals(0, result.exit(), result.text());
        JsonNode json = result.json();
        assertEquals(12, json.get("runs").size());
        assertEquals(4, json.get("laws").size());
        JsonNode both = json.get("laws").get(2);
        assertEquals(12, both.get("runs").size());
        assertEquals(0.5, both.at("/terms/0/exponent").asDouble(), 0.05);
        assertEquals(0.7, both.at("/terms/1/exponent").asDouble(), 0.05);
        assertEquals(0.28, both.get("floor").asDouble(), 0.02);
        assertTrue(both.at("/floorInterval/0").asDouble() < 0.28, result.text());
        assertTrue(both.at("/floorInterval/1").asDouble() > 0.28, result.text());
        assertEquals(3, both.get("heldOut").size());
        assertEquals(1_000_000.0 * 1_000_000 / 300_000, both.at("/next/sizes/0").asDouble(), 1);
        assertTrue(json.at("/correlations/attentive/pearson").asDouble() < -0.999, result.text());
        assertTrue(json.get("leftOut").get(0).asText().contains("broken"), result.text());
        assertTrue(result.out().contains("law in parameters and samples"), result.text());
        assertTrue(result.out().contains("next size"), result.text());

        String page = Files.readString(out.resolve("scaling.html"));
        assertTrue(page.contains("&lt;b&gt;") && !page.contains("<b>"), "what a journal says is text");
        String elsewhere = page.replace("http://www.w3.org/2000/svg", "");
        assertFalse(elsewhere.contains("http") || elsewhere.contains("<script"), "all is in the one file");
        try (Stream<Path> files = Files.list(out)) {
            List<Path> plots =
                    files.filter(file -> file.toString().endsWith(".svg")).toList();
            assertEquals(5, plots.size(), plots.toString());
            for (Path plot : plots) {
                var svg = DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(plot.toFile());
                assertTrue(svg.getElementsByTagName("circle").getLength() >= 3, plot.toString());
                assertFalse(Files.readString(plot).contains("NaN"), plot.toString());
            }
        }
    }

    @Test
    void whatCannotBeFittedIsOneLine() throws IOException {
        sweep();
        write("untrained", 10_000, 100, 0, OBJECTIVE);
        write("tokens", 10_000, 100, 3, "tokens");
        Path sweep = directory.resolve("sweep");
        Path empty = Files.createDirectories(directory.resolve("empty"));
        for (List<Object> words : List.<List<Object>>of(
                List.of("is not a directory", sweep.resolve("nowhere")),
                List.of("holds neither", empty),
                List.of("no validation after step 0", sweep.resolve("untrained")),
                List.of(
                        "at least 3 runs",
                        sweep.resolve("p30000-s200"),
                        sweep.resolve("p100000-s200"),
                        sweep.resolve("../sweep/p30000-s200")),
                List.of(
                        "objective differ",
                        sweep.resolve("p30000-s200"),
                        sweep.resolve("p100000-s200"),
                        sweep.resolve("tokens")),
                List.of("RUN"))) {
            Object[] arguments = Stream.concat(
                            Stream.of("scaling", "--out", empty), words.stream().skip(1))
                    .toArray();
            Rasterflow.Result result = run(arguments);
            assertEquals(2, result.exit(), result.text());
            String complaint = result.err().lines().findFirst().orElse("");
            assertTrue(complaint.contains(words.get(0).toString()), result.text());
            assertTrue(result.err().lines().count() <= (words.size() == 1 ? 2 : 1), result.text());
        }
        try (Stream<Path> files = Files.list(empty)) {
            assertEquals(0, files.count(), "nothing is written");
        }
    }

    /** In this process, for what says nothing on stdout. */
    private static Rasterflow.Result run(Object... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                Rasterflow.words(arguments).toArray(String[]::new));
        return new Rasterflow.Result(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
}
