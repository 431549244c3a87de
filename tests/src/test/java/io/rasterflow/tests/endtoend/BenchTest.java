package io.rasterflow.tests.endtoend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code rasterflow bench} as a user calls it: that it measures what it says, not how fast that is. */
class BenchTest {

    private static final Path SHARD = Rasterflow.HOME.resolve("streams/data/fashion-mnist/validation-00.tar.gz");

    @TempDir
    private Path directory;

    @Test
    void theInputPipelineIsMeasured() throws IOException, InterruptedException {
        Rasterflow.Result result = new Rasterflow(directory)
                .run(
                        "bench",
                        "input",
                        "--shard",
                        SHARD,
                        "--size",
                        28,
                        "--channels",
                        1,
                        "--threads",
                        2,
                        "--seconds",
                        1,
                        "--json");
        assertEquals(0, result.exit(), result.text());
        JsonNode json = result.json();
        assertEquals(2, json.get("threads").asInt());
        assertEquals(0, json.get("badSamples").asInt());
        double rate = json.get("images").asDouble() / json.get("seconds").asDouble();
        assertTrue(rate > 0, result.text());
        assertEquals(rate, json.get("imagesPerSecond").asDouble(), 1e-6 * rate);
        assertEquals(rate / 2, json.get("imagesPerSecondPerCore").asDouble(), 1e-6 * rate);
        double busy =
                json.get("fetchSeconds").asDouble() + json.get("decodeSeconds").asDouble();
        assertTrue(busy > 0 && busy < 2 * (json.get("seconds").asDouble() + 1), result.text());
    }

    @Test
    void wrongShardsAndSizesAreOneLine() throws IOException, InterruptedException {
        Rasterflow rasterflow = new Rasterflow(directory);
        Rasterflow.Result missing = rasterflow.run("bench", "input", "--shard", "none.tar");
        assertEquals(1, missing.exit(), missing.text());
        assertEquals(1, missing.err().lines().count(), missing.text());
        assertTrue(missing.err().contains("none.tar"), missing.text());
        Rasterflow.Result size = rasterflow.run("bench", "input", "--shard", SHARD, "--size", 0);
        assertEquals(2, size.exit(), size.text());
        assertTrue(size.err().contains("try: rasterflow bench input --help"), size.text());
        assertTrue(size.err().contains("--size must be"), size.text());
    }
}
