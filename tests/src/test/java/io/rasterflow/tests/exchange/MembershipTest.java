package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.exchange.DataPlaneConfig;
import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.ExchangeConfig;
import io.rasterflow.actors.exchange.ExchangeException;
import io.rasterflow.actors.exchange.FrameHeader;
import io.rasterflow.actors.exchange.FrameType;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.tests.LogLines;
import java.io.DataInputStream;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Joining, leaving, and connections that have no business here. */
class MembershipTest {

    private final List<DataPlane> planes = new ArrayList<>();

    @AfterEach
    void close() {
        planes.forEach(DataPlane::close);
    }

    private DataPlane plane(String secret, int millis) {
        DataPlane plane = DataPlane.bind(World.address(secret), World.config(64, millis));
        planes.add(plane);
        return plane;
    }

    private static Generation pair(long number, DataPlane one, DataPlane other) {
        return new Generation(number, List.of(one.address(0), other.address(0)), 2);
    }

    private static String failure(CompletionStage<?> stage) {
        ExecutionException failed = assertThrows(
                ExecutionException.class, () -> stage.toCompletableFuture().get(20, TimeUnit.SECONDS));
        assertTrue(failed.getCause() instanceof ExchangeException, failed.toString());
        return failed.getCause().getMessage();
    }

    private static void assertContains(String text, String part) {
        assertTrue(text.contains(part), text);
    }

    /** Three ranks, over sockets or within the process; one leaves in the middle of a step. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whenOneRankLeavesAllOthersFailAtOnce(boolean oneProcess) throws Exception {
        int[] replicas = oneProcess ? new int[] {3} : new int[] {1, 1, 1};
        for (int repetition = 0; repetition < 10; repetition++) {
            leaveInTheMiddle(replicas);
        }
    }

    private static void leaveInTheMiddle(int[] replicas) throws Exception {
        try (World world = new World(3, 100, 64, replicas)) {
            world.run(0, 3, World.Pause.NONE);
            List<CompletionStage<Exchange.Reduced>> outstanding = new ArrayList<>();
            for (int rank : new int[] {0, 2}) {
                Exchange exchange = world.exchanges.get(rank);
                exchange.begin(3);
                assertEquals(400, exchange.nextGradient().get(0).remaining());
                exchange.contribute(0, 0, 0);
                outstanding.add(exchange.allReduce());
            }
            assertFalse(outstanding.get(0).toCompletableFuture().isDone());

            world.exchanges.get(1).close();

            String lost = "lost rank 1 at 127.0.0.1:"
                    + world.generation.members().get(1).port();
            for (CompletionStage<Exchange.Reduced> stage : outstanding) {
                assertContains(failure(stage), lost);
            }
            assertContains(failure(world.exchanges.get(0).allReduce()), lost);
            assertContains(failure(world.exchanges.get(1).allReduce()), "rank 1 has left generation 1");
            assertContains(
                    failure(world.planes.get(0).join(world.generation, 0, List.of(100))), "generation 1 is over");
        }
    }

    @Test
    void survivorsFormTheNextGeneration() throws Exception {
        DataPlane a = plane("secret", 10_000);
        DataPlane b = plane("secret", 10_000);
        for (long number = 1; number <= 20; number++) {
            CompletionStage<Exchange> first = a.join(pair(number, a, b), 0, List.of(50));
            CompletionStage<Exchange> second = b.join(pair(number, a, b), 1, List.of(50));
            Exchange one = first.toCompletableFuture().get(10, TimeUnit.SECONDS);
            Exchange two = second.toCompletableFuture().get(10, TimeUnit.SECONDS);
            assertSums(4, number, one, two);
            (number % 2 == 0 ? one : two).close();
        }
    }

    private static void assertSums(long step, float value, Exchange... exchanges) throws Exception {
        for (Exchange exchange : exchanges) {
            exchange.begin(step);
            exchange.nextGradient().get(0).putFloat(0, value);
            exchange.contribute(1, 1, 1);
        }
        for (Exchange exchange : exchanges) {
            Exchange.Reduced sum = exchange.allReduce().toCompletableFuture().get(10, TimeUnit.SECONDS);
            assertEquals(exchanges.length * value, sum.gradientSum().get(0).getFloat(0), 0f);
        }
    }

    /** Ranks that train connect to a joiner meanwhile; the next generation goes on when the last is closed. */
    @ParameterizedTest
    @EnumSource(names = {"TCP", "SHM"})
    void theNextGenerationConnectsWhileOneTrains(ExchangeConfig.Transport transport) throws Exception {
        List<DataPlane> three = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            three.add(DataPlane.bind(
                    World.address("secret"), World.config(4096, 10_000).with(transport)));
        }
        planes.addAll(three);
        List<Exchange> last = joined(1, three.subList(0, 2), 2);
        assertSums(7, 3, last.toArray(Exchange[]::new));
        List<Exchange> next = joined(2, three, 3);
        assertSums(8, 5, last.toArray(Exchange[]::new));
        last.get(0).close();
        assertSums(9, 6, next.toArray(Exchange[]::new));
        last.get(1).close();
        assertSums(10, 7, next.toArray(Exchange[]::new));
    }

    private static List<Exchange> joined(long number, List<DataPlane> ranks, int microBatches) throws Exception {
        Generation generation = new Generation(
                number, ranks.stream().map(plane -> plane.address(0)).toList(), microBatches);
        List<CompletionStage<Exchange>> joining = new ArrayList<>();
        for (int rank = 0; rank < ranks.size(); rank++) {
            joining.add(ranks.get(rank).join(generation, rank, List.of(50)));
        }
        List<Exchange> exchanges = new ArrayList<>();
        for (CompletionStage<Exchange> join : joining) {
            exchanges.add(join.toCompletableFuture().get(10, TimeUnit.SECONDS));
        }
        return exchanges;
    }

    @Test
    void anEarlyPeerWaitsForTheOtherToJoin() throws Exception {
        DataPlane a = plane("secret", 10_000);
        DataPlane b = plane("secret", 10_000);
        CompletionStage<Exchange> early = a.join(pair(1, a, b), 0, List.of(50));
        assertContains(
                failure(a.join(new Generation(2, List.of(a.address(0), deaf()), 2), 0, List.of(50))), "lost rank 1");
        assertFalse(early.toCompletableFuture().isDone());
        CompletionStage<Exchange> late = b.join(pair(1, a, b), 1, List.of(50));
        assertTrue(early.toCompletableFuture().get(10, TimeUnit.SECONDS) != late);
        late.toCompletableFuture().get(10, TimeUnit.SECONDS).close();
    }

    /** An address at which nobody listens. */
    private static DataAddress deaf() throws Exception {
        try (ServerSocket socket = new ServerSocket(0)) {
            return new DataAddress("deaf", "127.0.0.1", socket.getLocalPort(), 0);
        }
    }

    @Test
    void aPeerThatNeverJoinsIsNamed() {
        DataPlane a = plane("secret", 300);
        DataPlane b = plane("secret", 300);
        assertContains(failure(b.join(pair(1, a, b), 1, List.of(50))), "no connection with rank 0 at 127.0.0.1:");
        assertContains(failure(a.join(pair(2, a, b), 0, List.of(50))), "rank 1 at 127.0.0.1:");
        Generation local = new Generation(3, List.of(a.address(0), a.address(1)), 2);
        assertContains(failure(a.join(local, 0, List.of(50))), "no connection with rank 1");
    }

    @Test
    void ranksMustAgreeAboutTheGradient() {
        DataPlane a = plane("secret", 10_000);
        DataPlane b = plane("secret", 10_000);
        CompletionStage<Exchange> first = a.join(pair(1, a, b), 0, List.of(50));
        CompletionStage<Exchange> second = b.join(pair(1, a, b), 1, List.of(51));
        assertContains(failure(first), "rank 0 has 50 gradient floats, rank 1 51");
        assertContains(failure(second), "rank 0 has 50 gradient floats, rank 1 51");
        Generation local = new Generation(2, List.of(a.address(0), a.address(1)), 2);
        CompletionStage<Exchange> third = a.join(local, 0, List.of(50));
        assertContains(failure(a.join(local, 1, List.of(51))), "disagree");
        assertContains(failure(third), "disagree");
    }

    @Test
    void aWrongSecretIsRefusedAndDoesNotDisturb() throws Exception {
        DataPlane a = plane("secret", 10_000);
        DataPlane b = plane("secret", 10_000);
        DataPlane stranger = plane("guess", 10_000);
        CompletionStage<Exchange> second = b.join(pair(1, a, b), 1, List.of(50));
        Generation claim = pair(1, stranger, b);
        assertContains(failure(stranger.join(claim, 0, List.of(50))), "refused: wrong exchange.secret");
        assertFalse(second.toCompletableFuture().isDone());
        CompletionStage<Exchange> first = a.join(pair(1, a, b), 0, List.of(50));
        assertTrue(second.toCompletableFuture().get(10, TimeUnit.SECONDS) != first);
        first.toCompletableFuture().get(10, TimeUnit.SECONDS).close();
    }

    @Test
    void anAcceptorMustProveTheSecretToo() throws Exception {
        DataPlane a = plane("secret", 10_000);
        try (ServerSocket server = new ServerSocket(0)) {
            DataAddress impostor = new DataAddress("impostor", "127.0.0.1", server.getLocalPort(), 0);
            CompletionStage<Exchange> join =
                    a.join(new Generation(1, List.of(a.address(0), impostor), 2), 0, List.of(50));
            try (Socket socket = server.accept()) {
                DataInputStream in = new DataInputStream(socket.getInputStream());
                in.skipNBytes(FrameHeader.BYTES
                        + WirePeer.HELLO_BYTES
                        + a.address(0).processId().length());
                socket.getOutputStream().write(WirePeer.frame(FrameType.CHALLENGE, 1, 0, 0, 0, new byte[32]));
                in.skipNBytes(FrameHeader.BYTES + 32);
                socket.getOutputStream().write(WirePeer.frame(FrameType.WELCOME, 1, 0, 0, 0, new byte[32]));
                assertContains(failure(join), "it does not know exchange.secret");
            }
        }
    }

    @Test
    void garbageFromOutsideDoesNotDisturbARun() throws Exception {
        try (World world = new World(4, 500, 64, 1, 1)) {
            AtomicBoolean stop = new AtomicBoolean();
            DataAddress target = world.generation.members().get(1);
            Thread vandal = new Thread(() -> vandalise(target, stop), "vandal");
            vandal.start();
            world.run(0, 300, World.Pause.NONE);
            stop.set(true);
            vandal.join();
            world.run(300, 310, World.Pause.NONE);
        }
    }

    private static void vandalise(DataAddress target, AtomicBoolean stop) {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 100 && !stop.get(); i++) {
            try (Socket socket = new Socket(target.host(), target.port())) {
                byte[] bytes = new byte[random.nextInt(3000)];
                random.nextBytes(bytes);
                if (i % 2 == 0) {
                    bytes = WirePeer.frame(
                            FrameType.values()[i / 2 % FrameType.values().length], 1, 0, 0, 0, new byte[i]);
                }
                socket.getOutputStream().write(bytes);
            } catch (java.io.IOException e) {
                // The port may well have closed the connection before the last byte.
                assertTrue(e.getMessage() != null);
            }
        }
    }

    @Test
    void strangersAreRefusedWithOneLineEach() throws Exception {
        DataPlane a = plane("secret", 10_000);
        byte[] noise = new byte[1_000];
        new SplittableRandom(1).nextBytes(noise);
        FrameHeader twoGigabytes = new FrameHeader(FrameType.HELLO, 0, 1, 0, 0, 0, 0, Integer.MAX_VALUE);
        List<byte[]> strangers = List.of(
                "GET / HTTP/1.1\r\nHost: node-1:25520\r\nAccept: */*\r\n\r\n".getBytes(StandardCharsets.US_ASCII),
                Arrays.copyOf(new byte[] {0x16, 3, 1, 0, (byte) 200, 1, 0, 0, (byte) 196}, 200),
                noise,
                WirePeer.frame(twoGigabytes, new byte[80]),
                WirePeer.frame(FrameType.PARTIAL, 1, 0, 0, 0, new byte[16]));
        try (LogLines log = new LogLines()) {
            for (int i = 0; i < strangers.size(); i++) {
                int known = i;
                try (Socket socket = new Socket("127.0.0.1", a.address(0).port())) {
                    socket.setSoTimeout(10_000);
                    socket.getOutputStream().write(strangers.get(i));
                    socket.getInputStream().transferTo(OutputStream.nullOutputStream()); // Until it is closed.
                } catch (SocketException reset) {
                    assertContains(reset.getMessage(), "reset");
                }
                Awaitility.await()
                        .atMost(10, TimeUnit.SECONDS)
                        .until(() -> refusals(log).size() > known);
                assertEquals(i + 1, refusals(log).size(), refusals(log).toString());
                assertEquals(1, refusals(log).get(i).lines().count());
                assertContains(refusals(log).get(i), "refused a connection of /127.0.0.1:");
            }
        }
    }

    @Test
    void whoKnocksWithoutEndFillsNoLog() throws Exception {
        DataPlane a = plane("secret", 10_000);
        try (LogLines log = new LogLines()) {
            for (int i = 0; i < 200; i++) {
                try (Socket socket = new Socket("127.0.0.1", a.address(0).port())) {
                    socket.setSoTimeout(10_000);
                    socket.getOutputStream().write("nonsense, as long as a header must be at least".getBytes("UTF-8"));
                    socket.getInputStream().transferTo(OutputStream.nullOutputStream());
                } catch (SocketException reset) {
                    assertContains(reset.getMessage(), "reset");
                }
            }
            assertTrue(refusals(log).size() < 100, refusals(log).size() + " lines");
            Awaitility.await().atMost(10, TimeUnit.SECONDS).until(() -> {
                new Socket("127.0.0.1", a.address(0).port()).close();
                return refusals(log).stream().anyMatch(line -> line.contains(" others before)"));
            });
        }
    }

    private static List<String> refusals(LogLines log) {
        return log.of("io.rasterflow.actors.exchange");
    }

    @Test
    void silentStrangersAreTurnedAwayInTime() throws Exception {
        DataPlane a = plane("secret", 300);
        try (Socket socket = new Socket("127.0.0.1", a.address(0).port())) {
            socket.setSoTimeout(10_000);
            byte[] farewell = socket.getInputStream().readAllBytes();
            assertContains(new String(farewell, "UTF-8"), "no proof in time");
        }
    }

    @Test
    void badSettingsAndABusyPortAreOneClearLine() {
        DataPlane a = plane("secret", 1000);
        int busy = a.address(0).port();
        DataPlaneConfig config = new DataPlaneConfig("127.0.0.1", busy, "secret");
        assertFalse(config.toString().contains("secret"));
        ExchangeException failed =
                assertThrows(ExchangeException.class, () -> DataPlane.bind(config, ExchangeConfig.DEFAULT));
        assertContains(failed.getMessage(), "cannot listen on 127.0.0.1:" + busy);
        for (String host : new String[] {"", "0.0.0.0", null}) {
            assertThrows(IllegalArgumentException.class, () -> new DataPlaneConfig(host, 0, "secret"));
        }
        assertThrows(IllegalArgumentException.class, () -> new DataPlaneConfig("127.0.0.1", 65536, "secret"));
        assertThrows(IllegalArgumentException.class, () -> new DataPlaneConfig("127.0.0.1", 0, " "));
        assertThrows(IllegalArgumentException.class, () -> World.config(100, 1_000));
        assertThrows(IllegalArgumentException.class, () -> World.config(128, 0));
        assertThrows(IllegalArgumentException.class, () -> settings(1, 128, 128, 500, 2_500));
        assertThrows(IllegalArgumentException.class, () -> settings(64, 128, 128, 500, 2_500));
        assertThrows(IllegalArgumentException.class, () -> settings(64, 128, 4096, 500, 999));
        assertThrows(IllegalArgumentException.class, () -> settings(64, 128, 4096, 0, 2_500));
    }

    private static ExchangeConfig settings(int ringFrom, int chunkBytes, int maxFrameBytes, int ping, int silence) {
        return new ExchangeConfig(
                ExchangeConfig.Transport.AUTO,
                ExchangeConfig.Wire.FP32,
                ringFrom,
                chunkBytes,
                maxFrameBytes,
                ping,
                silence,
                1_000);
    }
}
