package io.rasterflow.tests.exchange;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.ExchangeConfig.Transport;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.tests.Jvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranks in processes of their own, over sockets and through shared memory. */
class SharedProcessesTest {

    private static final int FLOATS = 50_021;
    private static final int MICRO_BATCHES = 7;
    private static final long STEPS = 3;

    @TempDir
    private Path directory;

    private final List<Process> processes = new ArrayList<>();
    private final List<BufferedReader> answers = new ArrayList<>();

    @AfterEach
    void end() {
        processes.forEach(Process::destroyForcibly);
    }

    /** Starts all ranks and tells each where all are. */
    private void start(int world, Transport transport, long steps) throws IOException {
        List<String> addresses = new ArrayList<>();
        for (int rank = 0; rank < world; rank++) {
            launch(rank, transport, steps);
        }
        for (BufferedReader answer : answers) {
            addresses.add(answer.readLine());
        }
        introduce(addresses);
    }

    private void launch(int rank, Transport transport, long steps) throws IOException {
        Process process = Jvm.start(
                List.of("-Drasterflow.exchange.directory=" + directory, "-Xmx128m", "-XX:+UseSerialGC"),
                SharedProcessesTest.class,
                transport.name(),
                Integer.toString(rank),
                Long.toString(steps));
        processes.add(process);
        answers.add(new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)));
    }

    private void introduce(List<String> addresses) throws IOException {
        for (Process process : processes) {
            process.getOutputStream().write((String.join(" ", addresses) + "\n").getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        }
    }

    /** One rank: prints its address, reads all of them, and prints a hash of every step's sum. */
    public static void main(String[] arguments) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        int rank = Integer.parseInt(arguments[1]);
        try (DataPlane plane = DataPlane.bind(
                World.address(World.SECRET), World.config(4096, 30_000).with(Transport.valueOf(arguments[0])))) {
            DataAddress own = plane.address(0);
            System.out.println(own.processId() + "," + own.host() + "," + own.port());
            List<DataAddress> members = Arrays.stream(in.readLine().split(" "))
                    .map(line -> line.split(","))
                    .map(part -> new DataAddress(part[0], part[1], Integer.parseInt(part[2]), 0))
                    .toList();
            Generation generation = new Generation(1, members, MICRO_BATCHES);
            try (Exchange exchange = plane.join(generation, rank, List.of(FLOATS))
                    .toCompletableFuture()
                    .join()) {
                for (long step = 0; step < Long.parseLong(arguments[2]); step++) {
                    System.out.println(hash(step(exchange, generation, rank, step)));
                }
                in.readLine();
            }
        } catch (CompletionException e) {
            System.out.println(e.getCause().getMessage());
        }
    }

    private static float[] step(Exchange exchange, Generation generation, int rank, long step) {
        exchange.begin(step);
        for (int m = generation.firstMicroBatch(rank); m < generation.firstMicroBatch(rank + 1); m++) {
            exchange.nextGradient().get(0).asFloatBuffer().put(World.gradient(step, m, FLOATS));
            exchange.contribute(0, 1, 1);
        }
        float[] sum = new float[FLOATS];
        exchange.allReduce()
                .toCompletableFuture()
                .join()
                .gradientSum()
                .get(0)
                .asFloatBuffer()
                .get(sum);
        return sum;
    }

    private static String hash(float[] sum) {
        return Integer.toString(Arrays.hashCode(World.bits(sum)));
    }

    @ParameterizedTest
    @CsvSource({"2, SHM", "3, AUTO", "4, SHM", "2, TCP"})
    void sumsAreTheSameToTheBit(int world, Transport transport) throws IOException {
        start(world, transport, STEPS);
        for (long step = 0; step < STEPS; step++) {
            String expected = hash(World.expected(step, 0, MICRO_BATCHES, FLOATS));
            for (BufferedReader answer : answers) {
                assertEquals(expected, answer.readLine());
            }
        }
        for (Process process : processes) {
            assertEquals(transport != Transport.TCP, mapsSegments(process));
        }
        assertEquals(0, files());
    }

    /** Whether the process has a segment mapped, which has no name any more. */
    private boolean mapsSegments(Process process) throws IOException {
        try (Stream<String> maps = Files.lines(Path.of("/proc/" + process.pid() + "/maps"))) {
            return maps.anyMatch(line -> line.contains(directory.toString()) && line.endsWith("(deleted)"));
        }
    }

    private long files() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.count();
        }
    }

    /** Killed in the middle of a run: the other fails at once, and the host keeps nothing of either. */
    @Test
    void aKilledProcessLeavesNothing() throws Exception {
        start(2, Transport.SHM, Long.MAX_VALUE);
        assertFalse(answers.get(0).readLine().isEmpty());
        processes.get(1).destroyForcibly().waitFor();
        await().atMost(Duration.ofSeconds(30))
                .until(() -> answers.get(0).readLine().startsWith("lost rank 1"));
        assertEquals(0, processes.get(0).waitFor());
        assertEquals(0, files());
    }

    /** Killed before its peer has come: the file keeps its name until the next process starts. */
    @Test
    void aProcessThatIsKilledWhileItJoinsIsSweptUpAfter() throws Exception {
        launch(1, Transport.SHM, 1);
        introduce(List.of("never,127.0.0.1,9", answers.get(0).readLine()));
        await().atMost(Duration.ofSeconds(30)).until(() -> files() == 1);
        processes.get(0).destroyForcibly().waitFor();
        assertEquals(1, files());
        launch(0, Transport.SHM, 1);
        assertFalse(answers.get(1).readLine().isEmpty());
        assertEquals(0, files());
    }
}
