package io.rasterflow.tests.endtoend;

import static io.rasterflow.tests.endtoend.Rasterflow.SMALL;
import static io.rasterflow.tests.endtoend.Rasterflow.words;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.program.Engines;
import io.rasterflow.tests.Paired;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** Every kind of bad input ends with one clear line and the exit code of cli.md, and leaves nothing half done. */
@Paired
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class BadInputTest {

    private static Rasterflow.Running withoutACluster;

    private static final Path BUNDLED = Rasterflow.HOME.resolve("streams/data/fashion-mnist");

    @TempDir
    Path directory;

    private Rasterflow.Result refused(int exit, String expected, Object... arguments) throws Exception {
        return refused(exit, expected, Map.of(), arguments);
    }

    private Rasterflow.Result refused(int exit, String expected, Map<String, String> environment, Object... arguments)
            throws Exception {
        Rasterflow.Result result = new Rasterflow(directory).run(words(arguments), environment);
        assertEquals(exit, result.exit(), result.text());
        assertTrue(result.err().contains(expected), "expected: " + expected + "\n" + result.text());
        assertFalse(result.err().contains("\tat "), "a stack trace was shown\n" + result.text());
        return result;
    }

    @Test
    void unknownVerbsKeysAndOptionsAreWrongUsage() throws Exception {
        refused(2, "trian", "trian");
        refused(2, "did you mean train.steps", "train", "train.stepz=5");
        refused(2, "--nodez", "train", "--nodez", "2");
        refused(2, "a verb is missing");
    }

    @Test
    void helpStandsOnEveryVerb() throws Exception {
        for (List<String> verb : List.of(
                List.<String>of(),
                List.of("train"),
                List.of("node"),
                List.of("probe"),
                List.of("finetune"),
                List.of("parity"),
                List.of("data"),
                List.of("data", "pack"),
                List.of("metrics"),
                List.of("report"),
                List.of("top"),
                List.of("doctor"))) {
            Rasterflow.Result result = new Rasterflow(directory).run(verb, "--help");
            assertEquals(0, result.exit(), result.text());
            assertTrue(result.out().contains("Usage: rasterflow"), result.text());
        }
    }

    @Test
    void aWrongJdkIsNamed() throws Exception {
        refused(1, "JAVA_HOME", Map.of("JAVA_HOME", directory.resolve("nowhere").toString()), "--help");
        Path old = Files.createDirectories(directory.resolve("jdk8/bin"));
        Path java =
                Files.writeString(old.resolve("java"), "#!/bin/sh\necho '    java.specification.version = 1.8' >&2\n");
        assertTrue(java.toFile().setExecutable(true));
        refused(1, "17 or newer", Map.of("JAVA_HOME", old.getParent().toString()), "--help");
    }

    @Test
    void missingAndEmptyDataAreNamed() throws Exception {
        refused(1, "nothing-here", "train", SMALL, "--run", "a", "data.train=nothing-here-{0..3}.tar");
        Files.createDirectories(directory.resolve("empty"));
        Path empty = Files.createFile(directory.resolve("empty/shard.tar"));
        refused(1, "shard.tar", "train", SMALL, "--run", "b", "data.train=" + empty);
        assertFalse(Files.exists(directory.resolve("b/checkpoints")), "a checkpoint was begun");
        String set = "{name=pets, train=[nowhere.tar], validation=[nowhere.tar], classes=10}";
        Rasterflow.Result missing =
                refused(1, "the set pets of probe.sets: ", "train", SMALL, "--run", "c", "probe.sets=[" + set + "]");
        assertTrue(missing.err().contains("nowhere.tar"), missing.text());
        assertEquals(1, missing.err().lines().count(), missing.text());
    }

    @Test
    void aTruncatedShardIsNamed() throws Exception {
        byte[] whole = Files.readAllBytes(BUNDLED.resolve("train-00.tar.gz"));
        Path cut = Files.write(directory.resolve("cut.tar.gz"), java.util.Arrays.copyOf(whole, whole.length / 2));
        refused(1, "cut.tar.gz", "train", SMALL, "--run", "cut", "data.train=" + cut, "data.damaged=refuse");
        Rasterflow.Result used = new Rasterflow(directory)
                .run("train", SMALL, "--run", "used", "data.train=" + cut, "train.steps=6", "probe.everySteps=1000");
        assertEquals(0, used.exit(), used.text());
        assertTrue(used.out().contains("damaged  " + cut + " at byte "), used.text());
    }

    @Test
    void aBusyPortIsNamed() throws Exception {
        try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            refused(
                    1,
                    Integer.toString(busy.getLocalPort()),
                    "train",
                    SMALL,
                    "--run",
                    "busy",
                    "monitor.page=true",
                    "monitor.port=" + busy.getLocalPort());
        }
    }

    @Test
    void aCheckpointOfAnotherArchitectureAndAUsedDirectoryAreNamed() throws Exception {
        Rasterflow.Result first = new Rasterflow(directory)
                .run("train", SMALL, "--run", "run", "train.steps=4", "train.checkpointEverySteps=2");
        assertEquals(0, first.exit(), first.text());
        refused(2, "already holds a run", "train", SMALL, "--run", "run");
        refused(1, "trunk.blocks", "train", "--resume", "--run", "run", "model.trunk.blocks=3", "train.steps=8");
        refused(1, "cannot change", "train", "--resume", "--run", "run", "train.batch=64", "train.steps=8");
        refused(2, "no checkpoint", "train", "--resume", "--run", "other");
    }

    @Test
    void aRunDirectoryThatCannotBeWrittenIsNamed() throws Exception {
        refused(1, "the run directory /proc/run cannot be written", "train", SMALL, "--run", "/proc/run");
    }

    @Test
    void tooLittleMemoryIsNamed() throws Exception {
        Map<String, String> little = Map.of("RASTERFLOW_JAVA_OPTS", "-XX:MaxDirectMemorySize=1m");
        refused(
                1,
                "the JVM's memory does not suffice",
                little,
                words(
                        "bench",
                        "step",
                        "--batch",
                        "64",
                        "--dim",
                        "32",
                        "--depth",
                        "1",
                        "--heads",
                        "1",
                        "--patches",
                        "16",
                        "--patch-values",
                        "768",
                        "--steps",
                        "1"));
    }

    @Test
    void aGpuThatIsNotThereIsNamed() throws Exception {
        org.junit.jupiter.api.Assumptions.assumeTrue(Engines.gpus() == 0, "this machine has a GPU");
        Rasterflow.Result result = refused(
                1, "train.device is cuda:0 but", Map.of(), "train", SMALL, "--run", "run", "train.device=cuda:0");
        assertEquals(1, result.err().lines().count(), result.text());
        refused(2, "train.device must be auto, cpu, cuda or cuda:N", Map.of(), "train", "train.device=gpu");
    }

    @Test
    void aJournalThatCannotBeOpenedIsNamed() throws Exception {
        Path run = Files.createDirectories(directory.resolve("run"));
        Files.writeString(run.resolve("journal"), "in the way");
        Rasterflow.Result result = refused(1, "journal folder", Map.of(), "train", SMALL, "--run", "run");
        assertEquals(1, result.err().lines().count(), result.text());
    }

    /** It looks for one for half a minute: the other tests run meanwhile. */
    @BeforeAll
    static void startANodeWithoutACluster(@TempDir Path shared) throws Exception {
        withoutACluster = new Rasterflow(shared)
                .start(words("node", "--role", "trainer", "--join", "127.0.0.1:9,localhost:9"), Map.of());
    }

    @Test
    @Order(Integer.MAX_VALUE)
    void aNodeThatFindsNoClusterSaysSo() throws Exception {
        Rasterflow.Result result = withoutACluster.await();
        assertEquals(1, result.exit(), result.text());
        assertTrue(result.err().contains("no cluster at 127.0.0.1:9 or localhost:9 let this node in"), result.text());
        refused(2, "--join must be HOST:PORT", "node", "--role", "trainer", "--join", "no port");
        refused(2, "--role must be", "node", "--role", "president", "--join", "127.0.0.1:9");
    }

    @Test
    void corruptImagesAreSkippedCountedAndJournalled() throws Exception {
        Path shard = directory.resolve("damaged.tar.gz");
        int damaged = Shards.copyDamaged(BUNDLED.resolve("train-00.tar.gz"), shard, 400, 100);
        assertEquals(4, damaged);
        List<String> arguments = words("train", "--json", SMALL, "train.steps=13", "data.train=" + shard);
        Rasterflow.Result tolerant = new Rasterflow(directory)
                .run(words(arguments, "--run", "tolerant", "data.stream.maxBadFraction=0.05"), Map.of());
        assertEquals(0, tolerant.exit(), tolerant.text());
        long replaced = tolerant.json().get("badSamples").asLong();
        assertTrue(replaced >= damaged, "13 steps of 32 images pass every one of 400 samples, but " + replaced);
        Rasterflow.Result metrics = new Rasterflow(directory).run("metrics", "--run", "tolerant");
        List<String> journalled = metrics.out()
                .lines()
                .filter(line -> line.contains("\"type\":\"bad-sample\""))
                .toList();
        assertEquals(replaced, journalled.size());
        assertTrue(journalled.get(0).contains("damaged.tar.gz"), journalled.get(0));

        Rasterflow.Result strict = new Rasterflow(directory)
                .run(words(arguments, "--run", "strict", "data.stream.maxBadFraction=0"), Map.of());
        assertEquals(1, strict.exit(), strict.text());
        assertTrue(strict.err().contains("maxBadFraction"), strict.text());
    }

    @Test
    void aFullDiskStopsTheRunWithoutAHalfWrittenCheckpoint() throws Exception {
        Path small = Files.createDirectories(directory.resolve("small"));
        Process mount = new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small.toString())
                .redirectErrorStream(true)
                .start();
        org.junit.jupiter.api.Assumptions.assumeTrue(
                mount.waitFor() == 0, "mounting a small file system needs root, so the full disk is not tried");
        try {
            Rasterflow.Result result = new Rasterflow(directory)
                    .run(
                            "train",
                            SMALL,
                            "--run",
                            small.resolve("run"),
                            "train.steps=4000",
                            "train.checkpointEverySteps=5");
            assertEquals(1, result.exit(), result.text());
            assertTrue(result.err().contains("checkpoint"), result.text());
            assertFalse(result.err().contains("\tat "), result.text());
            try (var checkpoints = Files.list(small.resolve("run/checkpoints"))) {
                for (Path checkpoint : checkpoints.toList()) {
                    assertTrue(checkpoint.getFileName().toString().startsWith("step-"), checkpoint.toString());
                    assertTrue(Files.exists(checkpoint.resolve("state.json")), checkpoint + " is half written");
                }
            }
        } finally {
            new ProcessBuilder("umount", "-l", small.toString()).start().waitFor();
        }
    }
}
