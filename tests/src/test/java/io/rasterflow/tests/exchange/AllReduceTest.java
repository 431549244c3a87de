package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.ExchangeConfig;
import io.rasterflow.actors.exchange.Generation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The sum is that of one rank, bit for bit, whatever the world. Every comparison is in {@link World}. */
class AllReduceTest {

    @Property(tries = 150)
    void everyWorldSizeInOneProcess(
            @ForAll @IntRange(min = 1, max = 16) int microBatches,
            @ForAll @IntRange(min = 1, max = 16) int ranks,
            @ForAll @Size(min = 1, max = 4) List<@IntRange(min = 1, max = 300) Integer> buckets)
            throws Exception {
        try (World world = new World(microBatches, buckets, World.config(256, 30_000), Math.min(ranks, microBatches))) {
            world.run(0, 3, World.Pause.NONE);
        }
    }

    /** Replicas per process; several processes mean sockets. */
    @ParameterizedTest
    @CsvSource({"1", "1+1", "1+1+1", "1+1+1+1", "2", "2+1", "1+2", "2+2", "1+3", "3+1+2"})
    void everyMixtureOfProcesses(String replicas) throws Exception {
        int[] counts =
                Arrays.stream(replicas.split("\\+")).mapToInt(Integer::parseInt).toArray();
        for (int microBatches : new int[] {8, 11}) {
            try (World world = new World(microBatches, List.of(17, 7_000, 2_990), World.config(4096, 30_000), counts)) {
                world.run(5, 15, World.Pause.NONE);
            }
        }
    }

    @Test
    void oneMillionFloatsOverSockets() throws Exception {
        try (World world = new World(4, 1_000_003, 1 << 18, 1, 1)) {
            world.run(0, 3, World.Pause.NONE);
        }
    }

    /** More ranks than cache lines: some slices are empty. */
    @Test
    void connectionsOnOneHostAreNotPaced() throws Exception {
        try (World world = new World(2, 1000, 256, 1, 1)) {
            world.run(0, 1, World.Pause.NONE);
            for (String end : List.of("sport", "dport")) {
                String filter = world.planes.stream()
                        .map(plane -> end + " = :" + plane.address(0).port())
                        .collect(Collectors.joining(" or "));
                List<String> sockets = sockets(filter);
                assertEquals(1, sockets.size(), filter + " " + sockets);
                assertTrue(sockets.get(0).contains(" reno "), sockets.get(0));
            }
        }
    }

    /** What the kernel knows of connections: a line each. */
    private static List<String> sockets(String filter) throws Exception {
        String output;
        try {
            Process ss = new ProcessBuilder("ss", "--tcp", "--info", "--no-header", "--numeric", "--oneline", filter)
                    .redirectErrorStream(true)
                    .start();
            output = new String(ss.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, ss.waitFor(), output);
        } catch (IOException e) {
            return Assumptions.abort("no ss: apt-get install iproute2");
        }
        return output.lines().toList();
    }

    @Test
    void fewerFloatsThanRanks() throws Exception {
        try (World world = new World(6, 17, 64, 1, 2, 1)) {
            world.run(0, 20, World.Pause.NONE);
        }
    }

    /** A rank may be a whole step ahead of another; small steps and random delays look for the races in that. */
    @ParameterizedTest
    @CsvSource({"1+1, 1500", "1+1+1, 1000", "2+2, 1000", "3, 2000"})
    void thousandsOfStepsWithRandomDelays(String replicas, int steps) throws Exception {
        int[] counts =
                Arrays.stream(replicas.split("\\+")).mapToInt(Integer::parseInt).toArray();
        ThreadLocal<SplittableRandom> random = ThreadLocal.withInitial(SplittableRandom::new);
        World.Pause pause = (rank, step) -> {
            int draw = random.get().nextInt(100);
            if (draw == 0) {
                Thread.yield();
            }
            for (int i = 0; draw < 10 && i < draw * 2000; i++) {
                Thread.onSpinWait();
            }
        };
        try (World world = new World(5, List.of(100, 200, 33), World.config(128, 30_000), counts)) {
            world.run(0, steps, pause);
        }
    }

    /** What the noise scale is made of must not depend on how many ranks there are, or replicas' journals would differ. */
    @Test
    void squaredNormsHaveTheSameBitsInEveryWorld() throws Exception {
        Set<Long> bits = new HashSet<>();
        for (int[] replicas : new int[][] {{1}, {2}, {1, 1}, {2, 1}, {1, 1, 1, 1}}) {
            try (World world = new World(7, 5_003, 1024, replicas)) {
                List<CompletableFuture<Exchange.Reduced>> ranks = new ArrayList<>();
                for (int rank = 0; rank < world.exchanges.size(); rank++) {
                    int self = rank;
                    ranks.add(CompletableFuture.supplyAsync(() -> world.contributeUnchecked(self, 4)));
                }
                for (CompletableFuture<Exchange.Reduced> rank : ranks) {
                    bits.add(Double.doubleToLongBits(
                            rank.get(20, TimeUnit.SECONDS).meanSquaredNorm()));
                }
            }
        }
        assertEquals(1, bits.size());
        assertFalse(bits.contains(Double.doubleToLongBits(Double.NaN)));
    }

    @Test
    void oneLossThatIsNotFiniteReachesEveryRank() throws Exception {
        try (World world = new World(2, 32, 64, 1, 1)) {
            for (int rank = 0; rank < 2; rank++) {
                Exchange exchange = world.exchanges.get(rank);
                exchange.begin(0);
                assertEquals(128, exchange.nextGradient().get(0).remaining());
                exchange.contribute(rank == 0 ? Double.NaN : 1, 1, 1);
            }
            for (Exchange exchange : world.exchanges) {
                Exchange.Reduced reduced =
                        exchange.allReduce().toCompletableFuture().get(20, TimeUnit.SECONDS);
                assertEquals(false, reduced.finite());
                assertEquals(0, reduced.nonFinite());
                assertEquals(2, reduced.patches());
            }
        }
    }

    /** A signal belongs to one step, the same one everywhere, whenever it was given. */
    @ParameterizedTest
    @CsvSource({"1", "2+1", "1+1"})
    void everyRankSeesASignalAtTheSameStep(String replicas) throws Exception {
        int[] counts =
                Arrays.stream(replicas.split("\\+")).mapToInt(Integer::parseInt).toArray();
        try (World world = new World(3, 50, 64, counts)) {
            Map<Long, Set<Integer>> seen = new ConcurrentHashMap<>();
            List<CompletableFuture<Void>> ranks = new ArrayList<>();
            for (int rank = 0; rank < world.exchanges.size(); rank++) {
                int self = rank;
                ranks.add(CompletableFuture.runAsync(() -> {
                    for (long step = 0; step < 100; step++) {
                        int signals = world.contributeUnchecked(self, step).signals();
                        seen.computeIfAbsent(step, key -> ConcurrentHashMap.newKeySet())
                                .add(signals);
                    }
                }));
            }
            for (int bit = 0; bit < 20; bit++) {
                world.exchanges.get(bit % world.exchanges.size()).signal(1 << bit);
                Thread.yield();
            }
            for (CompletableFuture<Void> rank : ranks) {
                rank.get(20, TimeUnit.SECONDS);
            }
            world.exchanges.get(0).signal(1 << 20);
            seen.put(100L, ConcurrentHashMap.newKeySet());
            for (int rank = 0; rank < world.exchanges.size(); rank++) {
                int self = rank;
                ranks.set(rank, CompletableFuture.runAsync(() -> seen.get(100L)
                        .add(world.contributeUnchecked(self, 100).signals())));
            }
            for (CompletableFuture<Void> rank : ranks) {
                rank.get(20, TimeUnit.SECONDS);
            }
            seen.forEach((step, signals) -> assertEquals(1, signals.size(), "step " + step + ": " + signals));
            assertEquals(
                    (1 << 21) - 1,
                    seen.values().stream()
                            .mapToInt(one -> one.iterator().next())
                            .sum());
        }
    }

    @Test
    void callsOutOfOrderAreTheCallersFault() throws Exception {
        try (World world = new World(2, 32, 64, 2)) {
            Exchange exchange = world.exchanges.get(0);
            assertThrows(IllegalStateException.class, exchange::nextGradient);
            assertThrows(IllegalStateException.class, exchange::allReduce);
            exchange.begin(3);
            assertThrows(IllegalStateException.class, () -> exchange.contribute(0, 0, 0));
            assertThrows(IllegalStateException.class, exchange::allReduce);
            assertThrows(IllegalStateException.class, () -> exchange.begin(4));
            assertThrows(IllegalStateException.class, () -> exchange.ready(0));
            assertEquals(128, exchange.nextGradient().get(0).remaining());
            assertThrows(IndexOutOfBoundsException.class, () -> exchange.ready(1));
            exchange.ready(0);
            assertThrows(IllegalStateException.class, () -> exchange.ready(0));
            assertThrows(IllegalArgumentException.class, () -> exchange.contribute(0, -1, 0));
            exchange.contribute(0, 0, 0);
            assertThrows(IllegalStateException.class, exchange::nextGradient);
            exchange.close();
            assertThrows(IllegalStateException.class, () -> exchange.begin(5));
        }
    }

    @Test
    void joinsOnlyRanksOfThisProcess() {
        try (DataPlane plane = DataPlane.bind(World.address("a secret"), ExchangeConfig.DEFAULT);
                DataPlane other = DataPlane.bind(World.address("a secret"), ExchangeConfig.DEFAULT)) {
            Generation generation = new Generation(1, Collections.nCopies(1, other.address(0)), 1);
            assertThrows(IllegalArgumentException.class, () -> plane.join(generation, 0, List.of(10)));
            assertThrows(IllegalArgumentException.class, () -> other.join(generation, 1, List.of(10)));
            assertThrows(IllegalArgumentException.class, () -> other.join(generation, 0, List.of(10, 0)));
        }
    }
}
