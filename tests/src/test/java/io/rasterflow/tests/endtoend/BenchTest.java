package io.rasterflow.tests.endtoend;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.cli.Main;
import io.rasterflow.tests.Paired;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code rasterflow bench} as a user calls it: that it measures what it says, not how fast that is. */
@Paired
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

    @Test
    void theExchangeIsMeasuredBetweenProcesses() throws IOException, InterruptedException {
        Rasterflow.Result result = new Rasterflow(directory)
                .run("bench", "exchange", "--world", 3, "--megabytes", 0.064, "--rounds", 5, "--json");
        assertEquals(0, result.exit(), result.text());
        JsonNode json = result.json();
        assertEquals(3, json.get("worldSize").asInt());
        assertEquals(64_000, json.get("bytes").asInt());
        assertEquals(5, json.get("rounds").asInt());
        double median = json.get("medianSeconds").asDouble();
        assertTrue(median > 0 && median >= json.get("minSeconds").asDouble(), result.text());
        assertTrue(median <= json.get("maxSeconds").asDouble(), result.text());
        double bus = 4.0 / 3 * 64_000 / median;
        assertEquals(bus, json.get("busBytesPerSecond").asDouble(), 1e-6 * bus);
    }

    @Test
    void monitoringIsMeasuredAgainstNone() throws IOException, InterruptedException {
        Rasterflow.Result result = new Rasterflow(directory)
                .run(Rasterflow.words(
                        "bench",
                        "monitor",
                        "--pairs",
                        2,
                        "--seconds",
                        0.1,
                        "--warm-up",
                        0,
                        "--json",
                        Rasterflow.SMALL,
                        "monitor.page=true",
                        "probe.trainImages=200"));
        assertEquals(0, result.exit(), result.text());
        JsonNode json = result.json();
        double with = json.get("medianSecondsWith").asDouble();
        double without = json.get("medianSecondsWithout").asDouble();
        assertTrue(with > 0 && without > 0, result.text());
        double reports = json.get("reportSeconds").asDouble();
        assertTrue(reports > 0 && reports < with, "reports are a part of the step: " + result.text());
        double share = json.get("share").asDouble();
        assertEquals((reports + json.get("otherThreadsSeconds").asDouble()) / without, share, 1e-9, result.text());
        assertTrue(json.get("shareLow").asDouble() <= share
                && share <= json.get("shareHigh").asDouble());
        double longer = json.get("longerShare").asDouble();
        assertTrue(json.get("longerShareLow").asDouble() <= longer, result.text());
        assertTrue(longer <= json.get("longerShareHigh").asDouble(), result.text());
        assertTrue(
                json.get("eventsPerStep").asDouble() >= 8 + 2, "eight leases, a commit and a step: " + result.text());
    }

    /** The run that it leaves is one like others. */
    @Test
    void repairAndJoinAreMeasuredInARunThatCanBeAudited() throws IOException, InterruptedException {
        Rasterflow rasterflow = new Rasterflow(directory);
        Rasterflow.Result result = rasterflow.run(
                Rasterflow.words("bench", "recovery", "--kills", 1, "--run", "run", "--json", Rasterflow.SMALL));
        assertEquals(0, result.exit(), result.text());
        JsonNode json = result.json();
        assertEquals(1, json.get("kills").asInt());
        double repair = json.get("medianSeconds").asDouble();
        assertTrue(repair > 0 && repair == json.get("maxSeconds").asDouble(), result.text());
        double join = json.get("joinMedianSeconds").asDouble();
        assertTrue(join > 0 && join == json.get("joinMaxSeconds").asDouble(), result.text());
        assertTrue(json.get("stepMedianSeconds").asDouble() > 0, result.text());
        Rasterflow.Result audit = rasterflow.run("audit", "--run", "run", "--json");
        assertEquals(0, audit.exit(), audit.text());
        assertTrue(audit.json().get("generations").size() >= 3, audit.text());
    }

    @Test
    void wrongOptionsOfTheExchangeAreOneLine() {
        Map<String, List<String>> wrong = Map.of(
                "--world must be", List.of("--world", "1", "--megabytes", "1"),
                "--megabytes must be", List.of("--world", "2", "--megabytes", "0"),
                "'--transport'", List.of("--world", "2", "--megabytes", "1", "--transport", "pigeon"),
                "'--megabytes=", List.of("--world", "2"));
        wrong.forEach((complaint, options) -> {
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            int exit = Main.run(
                    System.out,
                    new PrintStream(err, true, StandardCharsets.UTF_8),
                    Stream.concat(Stream.of("bench", "exchange"), options.stream())
                            .toArray(String[]::new));
            String said = err.toString(StandardCharsets.UTF_8);
            assertEquals(2, exit, said);
            assertTrue(said.lines().findFirst().orElse("").contains(complaint), said);
            assertEquals(2, said.lines().count(), said);
        });
    }

    /** One of the processes is killed: the others end with it, and one line says which it was. */
    @Test
    void aKilledRankIsOneLineAndLeavesNoOrphans() throws IOException, InterruptedException {
        Rasterflow.Running bench = new Rasterflow(directory)
                .start(
                        Rasterflow.words("bench", "exchange", "--world", 2, "--megabytes", 1, "--rounds", 1_000_000),
                        Map.of());
        await().atMost(Duration.ofSeconds(60))
                .until(() -> ranks(bench).size() == 2
                        && ranks(bench).stream().allMatch(rank -> rank.info()
                                .totalCpuDuration()
                                .filter(used -> used.compareTo(Duration.ofSeconds(1)) > 0)
                                .isPresent()));
        List<ProcessHandle> ranks = ranks(bench);
        assertTrue(ranks.get(0).destroyForcibly());
        Rasterflow.Result result = bench.await();
        assertEquals(1, result.exit(), result.text());
        assertEquals(1, result.err().lines().count(), result.text());
        assertTrue(result.err().contains("process ended with exit code 137"), result.text());
        assertTrue(ranks.stream().noneMatch(ProcessHandle::isAlive));
    }

    private static List<ProcessHandle> ranks(Rasterflow.Running bench) {
        return bench.process().descendants().toList();
    }
}
