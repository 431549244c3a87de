package io.rasterflow.tests.endtoend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.cli.Main;
import io.rasterflow.tests.Paired;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code rasterflow plan} as a user calls it. */
@Paired
class PlanVerbTest {

    @TempDir
    private Path directory;

    @Test
    void aClusterIsAnsweredFor() throws IOException, InterruptedException {
        Rasterflow.Result result = new Rasterflow(directory)
                .run(
                        "plan",
                        "--ranks=16",
                        "--batch=1024",
                        "--micro-batches=64",
                        "--images=5e9",
                        "--mtbf-hours=2000",
                        "--wire=bf16",
                        "--price=30",
                        "--steps=2",
                        "--json");
        assertEquals(0, result.exit(), result.text());
        JsonNode json = result.json();
        assertEquals(
                1024,
                json.get("imagesPerSecond").asDouble() * json.get("stepSeconds").asDouble(),
                1e-6);
        assertEquals(
                json.get("stepSeconds").asDouble(),
                json.get("slowestSeconds").asDouble()
                        + json.get("exposedExchangeSeconds").asDouble()
                        + json.get("updateSeconds").asDouble(),
                1e-9);
        // 1,087,643,724 parameters and their padding, 2 bytes each, 2·15/16 of them.
        assertEquals(
                2 * 15.0 / 16 * 2 * 1_087_643_724.0,
                json.get("bytesPerStepAndRank").asDouble(),
                1e6);
        double hours = json.get("hours").asDouble();
        assertEquals(
                5e9 / json.get("imagesPerSecond").asDouble() / 3600,
                hours * json.get("goodput").asDouble(),
                1e-6 * hours);
        assertEquals(2 * 30 * hours, json.get("cost").asDouble(), 1e-6 * hours);
        assertTrue(json.get("restartHours").asDouble() > hours, result.text());
        assertTrue(result.out().contains("not measured"), result.text());
    }

    @Test
    void whatCannotBeIsOneLine() {
        for (List<String> words : List.of(
                List.of("--micro-batches", "--ranks=512"),
                List.of("--ranks", "--ranks=0"),
                List.of("--ranks", "--ranks=12", "--ranks-per-host=8"),
                List.of("--nic-gbit", "--ranks=16", "--nic-gbit=-1"),
                List.of("--images", "--ranks=16", "--images=0"),
                List.of("--mtbf-hours", "--ranks=16", "--mtbf-hours=-3"),
                List.of("--out", "--ranks=16", "--out=page"),
                List.of("--batch", "--batch=64", "--micro-batches=64"))) {
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            List<String> arguments = new ArrayList<>(List.of("plan"));
            arguments.addAll(words.subList(1, words.size()));
            int exit = Main.run(
                    new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8),
                    new PrintStream(err, true, StandardCharsets.UTF_8),
                    arguments.toArray(String[]::new));
            String text = err.toString(StandardCharsets.UTF_8);
            assertEquals(2, exit, words + "\n" + text);
            assertEquals(1, text.lines().count(), text);
            assertTrue(text.contains(words.get(0)), text);
        }
    }
}
