package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.ExchangeConfig;
import io.rasterflow.actors.exchange.ExchangeConfig.Transport;
import io.rasterflow.actors.exchange.ExchangeException;
import io.rasterflow.actors.exchange.FrameType;
import io.rasterflow.actors.exchange.Generation;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks that read each other's memory. Data planes of one JVM do so, too; {@link SharedProcessesTest} has processes. */
class SharedMemoryTest {

    private static final String DIRECTORY = "rasterflow.exchange.directory";

    @TempDir
    private Path directory;

    @BeforeEach
    void elsewhere() {
        System.setProperty(DIRECTORY, directory.toString());
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        System.clearProperty(DIRECTORY);
        assertEquals(List.of(), segments());
    }

    private List<Path> segments() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }

    private static ExchangeConfig config(Transport transport) {
        return World.config(4096, 10_000).with(transport);
    }

    private static DataPlane plane(Transport transport) {
        return DataPlane.bind(World.address(World.SECRET), config(transport));
    }

    private static Generation pair(long number, DataPlane one, DataPlane other) {
        return new Generation(number, List.of(one.address(0), other.address(0)), 2);
    }

    private static String failure(CompletionStage<?> stage) {
        ExecutionException failed = assertThrows(
                ExecutionException.class, () -> stage.toCompletableFuture().get(20, TimeUnit.SECONDS));
        assertTrue(failed.getCause() instanceof ExchangeException, failed.toString());
        assertEquals(1, failed.getCause().getMessage().lines().count());
        return failed.getCause().getMessage();
    }

    private static void assertContains(String text, String part) {
        assertTrue(text.contains(part), text);
    }

    /** Replicas per data plane; every sum is compared bit for bit. */
    @ParameterizedTest
    @CsvSource({"1+1", "1+1+1", "1+1+1+1", "2+1", "1+2", "2+2", "3+1+2"})
    void everyMixtureOfProcesses(String replicas) throws Exception {
        int[] counts =
                Arrays.stream(replicas.split("\\+")).mapToInt(Integer::parseInt).toArray();
        for (int microBatches : new int[] {8, 11}) {
            try (World world = new World(microBatches, List.of(10_007, 3, 5_000), config(Transport.SHM), counts)) {
                assertEquals(List.of(), segments());
                world.run(5, 15, World.Pause.NONE);
            }
        }
    }

    /** Small steps look for a buffer that is written while a peer still reads it. */
    @ParameterizedTest
    @CsvSource({"1+1, 600", "1+1+1, 300", "2+1, 300"})
    void hundredsOfSteps(String replicas, int steps) throws Exception {
        int[] counts =
                Arrays.stream(replicas.split("\\+")).mapToInt(Integer::parseInt).toArray();
        try (World world = new World(6, List.of(333), World.config(128, 10_000).with(Transport.SHM), counts)) {
            world.run(0, steps, (rank, step) -> {
                if ((step * 31 + rank) % 7 == 0) {
                    Thread.yield();
                }
            });
        }
    }

    /** One of two has no memory that the other could read: its gradients go over the socket, the other's do not. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void aPairWithoutSharedMemoryFallsBackToSockets(int without) throws Exception {
        DataPlane with = plane(Transport.AUTO);
        System.setProperty(DIRECTORY, directory.resolve("missing").toString());
        DataPlane bare = plane(Transport.AUTO);
        DataPlane first = without == 0 ? bare : with;
        DataPlane second = without == 0 ? with : bare;
        try (first;
                second) {
            CompletionStage<Exchange> one = first.join(pair(1, first, second), 0, List.of(1000));
            CompletionStage<Exchange> two = second.join(pair(1, first, second), 1, List.of(1000));
            for (int step = 0; step < 3; step++) {
                for (CompletionStage<Exchange> rank : List.of(one, two)) {
                    Exchange exchange = rank.toCompletableFuture().get(10, TimeUnit.SECONDS);
                    exchange.begin(step);
                    int microBatch = rank == one ? 0 : 1;
                    exchange.nextGradient().get(0).asFloatBuffer().put(World.gradient(step, microBatch, 1000));
                    exchange.contribute(0, 1, 1);
                }
                for (CompletionStage<Exchange> rank : List.of(one, two)) {
                    float[] sum = new float[1000];
                    rank.toCompletableFuture()
                            .join()
                            .allReduce()
                            .toCompletableFuture()
                            .get(10, TimeUnit.SECONDS)
                            .gradientSum()
                            .get(0)
                            .asFloatBuffer()
                            .get(sum);
                    assertArrayEquals(World.bits(World.expected(step, 0, 2, 1000)), World.bits(sum));
                }
            }
        }
    }

    /** What all ranks can write to holds the sum once, however many they are. */
    @Test
    void theSumOfAllRanksLiesInOnePlace() throws Exception {
        List<DataPlane> planes = List.of(plane(Transport.AUTO), plane(Transport.AUTO), plane(Transport.AUTO));
        Generation generation =
                new Generation(1, planes.stream().map(plane -> plane.address(0)).toList(), planes.size());
        List<CompletionStage<Exchange>> joins = new ArrayList<>();
        for (int rank = 0; rank < planes.size(); rank++) {
            joins.add(planes.get(rank).join(generation, rank, List.of(1000)));
        }
        List<Exchange> ranks = new ArrayList<>();
        for (CompletionStage<Exchange> join : joins) {
            ranks.add(join.toCompletableFuture().get(10, TimeUnit.SECONDS));
        }
        for (Exchange rank : ranks) {
            rank.begin(1);
            rank.nextGradient().get(0).asFloatBuffer().put(0, 3f);
            rank.contribute(0, 1, 1);
        }
        List<ByteBuffer> sums = new ArrayList<>();
        for (Exchange rank : ranks) {
            sums.add(rank.allReduce()
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS)
                    .gradientSum()
                    .get(0));
        }
        sums.forEach(sum -> assertEquals(9f, sum.getFloat(0)));
        sums.get(2).putFloat(0, 7f);
        sums.forEach(sum -> assertEquals(7f, sum.getFloat(0)));
        planes.forEach(DataPlane::close);
    }

    @Test
    void sharedMemoryThatIsDemandedIsRefusedInOneLineWhereThereIsNone() {
        DataPlane first = plane(Transport.SHM);
        System.setProperty(DIRECTORY, directory.resolve("missing").toString());
        DataPlane second = plane(Transport.SHM);
        try (first;
                second) {
            String refused = failure(second.join(pair(1, first, second), 1, List.of(1000)));
            assertContains(refused, "no shared memory of 12288 bytes (");
            assertContains(refused, "set exchange.transport to auto");
            List<Integer> tooMuch = List.of(1 << 28, 1 << 28, 1 << 28, 1 << 28);
            List<Integer> muchTooMuch = Stream.generate(() -> tooMuch)
                    .limit(4000)
                    .flatMap(List::stream)
                    .toList();
            assertContains(failure(first.join(pair(2, first, second), 0, muchTooMuch)), " bytes are free");
        }
    }

    @Test
    void ranksMustAgreeAboutTheTransport() {
        try (DataPlane first = plane(Transport.AUTO);
                DataPlane second = plane(Transport.TCP)) {
            CompletionStage<Exchange> one = first.join(pair(1, first, second), 0, List.of(1000));
            assertContains(
                    failure(second.join(pair(1, first, second), 1, List.of(1000))),
                    "rank 0 has AUTO as exchange.transport, rank 1 TCP");
            assertContains(failure(one), "as exchange.transport");
        }
    }

    /** The file is the owner's alone, and gone when the peer never comes. */
    @Test
    void theFileIsPrivateAndGoesWithAFailedJoin() throws Exception {
        try (DataPlane first = plane(Transport.AUTO);
                DataPlane second = plane(Transport.AUTO)) {
            CompletionStage<Exchange> join = second.join(pair(1, first, second), 1, List.of(1000));
            List<Path> files = segments();
            assertEquals(1, files.size());
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(files.get(0))));
            second.close();
            assertContains(failure(join), "has left generation 1");
        }
    }

    @Test
    void aJoinThatIsRefusedLeavesNoFile() throws Exception {
        DataPlane first = plane(Transport.AUTO);
        DataPlane second = plane(Transport.AUTO);
        try (first) {
            second.close();
            failure(first.join(pair(2, first, second), 0, List.of(1000)));
            assertContains(failure(first.join(pair(1, first, second), 0, List.of(1000))), "generation 1 is over");
            assertEquals(List.of(), segments());
        }
        assertContains(failure(first.join(pair(3, first, second), 0, List.of(1000))), "the data plane is closed");
        assertEquals(List.of(), segments());
    }

    @Test
    void whatADeadProcessLeftIsDeletedAndWhatALivingOneHasIsNot() throws Exception {
        String namespace =
                Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString().replaceAll("\\D", "");
        String stat = Files.readString(Path.of("/proc/self/stat"));
        String started = stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19];
        long pid = ProcessHandle.current().pid();
        String prefix = "rasterflow-exchange-" + namespace + "-";
        Path dead = Files.createFile(directory.resolve(prefix + "999999999-1-0"));
        Path reused = Files.createFile(directory.resolve(prefix + pid + "-1-0"));
        Path alive = Files.createFile(directory.resolve(prefix + pid + "-" + started + "-999999"));
        Path elsewhere = Files.createFile(directory.resolve("rasterflow-exchange-1-999999999-1-0"));
        Path other = Files.createFile(directory.resolve("rasterflow-exchange-notes"));
        plane(Transport.AUTO).close();
        assertFalse(Files.exists(dead) || Files.exists(reused));
        for (Path kept : List.of(alive, elsewhere, other)) {
            Files.delete(kept);
        }
    }

    /** Generations come and go: neither descriptors nor mapped memory pile up. */
    @Test
    void nothingPilesUpOverGenerations() throws Exception {
        try (DataPlane first = plane(Transport.SHM);
                DataPlane second = plane(Transport.SHM)) {
            generations(first, second, 1, 2);
            long descriptors = descriptors();
            long mapped = mappedBytes();
            generations(first, second, 3, 16);
            // A generation maps some 40 MB here and twice the 64 MB that may wait for the collector.
            assertTrue(mappedBytes() - mapped < 250e6, "mapped " + mappedBytes() + " after " + mapped);
            assertTrue(descriptors() <= descriptors + 2, descriptors() + " descriptors after " + descriptors);
        }
    }

    private static void generations(DataPlane first, DataPlane second, long from, long to) throws Exception {
        for (long number = from; number <= to; number++) {
            Generation generation = pair(number, first, second);
            CompletionStage<Exchange> one = first.join(generation, 0, List.of(2_000_000));
            CompletionStage<Exchange> two = second.join(generation, 1, List.of(2_000_000));
            try (Exchange a = one.toCompletableFuture().get(10, TimeUnit.SECONDS);
                    Exchange b = two.toCompletableFuture().get(10, TimeUnit.SECONDS)) {
                for (Exchange rank : List.of(a, b)) {
                    rank.begin(1);
                    assertEquals(1, rank.nextGradient().size());
                    rank.contribute(0, 1, 1);
                }
                assertEquals(
                        2,
                        a.allReduce()
                                .toCompletableFuture()
                                .get(10, TimeUnit.SECONDS)
                                .images());
                assertEquals(
                        2,
                        b.allReduce()
                                .toCompletableFuture()
                                .get(10, TimeUnit.SECONDS)
                                .images());
            }
        }
    }

    private static long descriptors() throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }

    private static long mappedBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("mapped"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    // ---- A peer that does wrong

    private static final int FLOATS = 4096;
    private static final long SEGMENT_BYTES = 4096 + 4 * FLOATS + 4 * FLOATS;

    private Path theirFile() throws IOException {
        byte[] content = new byte[(int) SEGMENT_BYTES];
        Arrays.fill(content, 0, 32, (byte) 7);
        return Files.write(directory.resolve("rasterflow-exchange-0-1-1-0"), content);
    }

    private static byte[] segment(Path file, byte token) {
        byte[] path = file.toString().getBytes(StandardCharsets.UTF_8);
        byte[] tokens = new byte[32];
        Arrays.fill(tokens, token);
        return WirePeer.frame(
                FrameType.SEGMENT,
                7,
                0,
                0,
                0,
                ByteBuffer.allocate(32 + path.length).put(tokens).put(path).array());
    }

    private interface Crime {
        void commit(WirePeer peer, Path file) throws IOException;
    }

    /** A peer whose file is mapped does something, and the generation ends in one line. */
    private void assertLost(Crime crime, String cause) throws Exception {
        for (int common = 0; common < 2; common++) {
            assertLost(crime, cause, common);
        }
    }

    private void assertLost(Crime crime, String cause, int common) throws Exception {
        try (DataPlane plane = DataPlane.bind(
                        World.address(World.SECRET), World.config(64, 10_000).with(Transport.AUTO));
                WirePeer peer = new WirePeer(plane.address(0), 7)) {
            Generation generation = new Generation(7, List.of(WirePeer.ADDRESS, plane.address(0)), 2);
            CompletionStage<Exchange> join = plane.join(generation, 1, List.of(FLOATS));
            peer.handshake(World.SECRET, 2, FLOATS, Transport.AUTO);
            Path file = theirFile();
            peer.send(segment(file, (byte) 7));
            peer.send(WirePeer.frame(FrameType.MAPPED, 7, 0, 0, 0, new byte[] {'n', 'o'}));
            assertTrue(peer.receive(FrameType.SEGMENT).length > 32);
            assertEquals(0, peer.receive(FrameType.MAPPED).length);
            peer.send(WirePeer.frame(FrameType.COMMON_SUM, 7, 0, common, 0, new byte[0]));
            Exchange exchange = join.toCompletableFuture().get(10, TimeUnit.SECONDS);
            exchange.begin(1);
            assertEquals(1, exchange.nextGradient().size());
            exchange.contribute(0, 1, 1);
            crime.commit(peer, file);
            String lost = failure(exchange.allReduce());
            Files.delete(file);
            assertContains(lost, cause);
        }
    }

    private static byte[] announce(FrameType type, int index, int offset, int payload) {
        return WirePeer.frame(type, 7, 1, index, offset, new byte[payload]);
    }

    @Test
    void aFileThatIsCutShortDoesNotTakeTheJvmWithIt() throws Exception {
        assertLost(
                (peer, file) -> {
                    Files.write(file, new byte[0]);
                    peer.send(announce(FrameType.SHARED_PARTIAL, 0, 0, 0));
                },
                "shared memory of a peer cannot be read any more");
    }

    @Test
    void aGradientThatDoesNotExist() throws Exception {
        assertLost((peer, file) -> peer.send(announce(FrameType.SHARED_PARTIAL, 0, 2, 0)), "gradient 2 of 2");
    }

    @Test
    void aSlotOfAnotherRank() throws Exception {
        assertLost((peer, file) -> peer.send(announce(FrameType.SHARED_PARTIAL, 1, 0, 0)), "slot 1 is not one of");
    }

    @Test
    void aChunkThatDoesNotExist() throws Exception {
        assertLost((peer, file) -> peer.send(announce(FrameType.SHARED_REDUCED, 0, 2048, 0)), "no chunk of slice 0");
    }

    @Test
    void anAnnouncementWithAPayload() throws Exception {
        assertLost((peer, file) -> peer.send(announce(FrameType.SHARED_PARTIAL, 0, 0, 4)), "SHARED_PARTIAL with 4");
    }

    /** A file that happens to have the name, with another token: as on another host. */
    @Test
    void anotherTokenMeansAnotherHost() throws Exception {
        try (DataPlane plane = DataPlane.bind(
                        World.address(World.SECRET), World.config(64, 10_000).with(Transport.AUTO));
                WirePeer peer = new WirePeer(plane.address(0), 7)) {
            Generation generation = new Generation(7, List.of(WirePeer.ADDRESS, plane.address(0)), 2);
            CompletionStage<Exchange> join = plane.join(generation, 1, List.of(FLOATS));
            peer.handshake(World.SECRET, 2, FLOATS, Transport.AUTO);
            Path file = theirFile();
            peer.send(segment(file, (byte) 8));
            assertTrue(peer.receive(FrameType.SEGMENT).length > 32);
            byte[] reason = peer.receive(FrameType.MAPPED);
            Files.delete(file);
            assertContains(new String(reason, StandardCharsets.UTF_8), "is another file here");
            peer.send(WirePeer.frame(FrameType.MAPPED, 7, 0, 0, 0, new byte[0]));
            Exchange exchange = join.toCompletableFuture().get(10, TimeUnit.SECONDS);
            exchange.begin(1);
            assertEquals(1, exchange.nextGradient().size());
            exchange.contribute(0, 1, 1);
            CompletionStage<Exchange.Reduced> sum = exchange.allReduce();
            peer.send(announce(FrameType.SHARED_PARTIAL, 0, 0, 0));
            assertContains(failure(sum), "without shared memory");
        }
    }
}
