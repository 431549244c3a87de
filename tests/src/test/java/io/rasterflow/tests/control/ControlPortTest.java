package io.rasterflow.tests.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.control.ControlPort;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.coordinator.Coordinator.Outcome;
import io.rasterflow.launch.ControlPlane;
import io.rasterflow.tests.LogLines;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two nodes as they are started for a run, and strangers at the control port of the first. */
class ControlPortTest {

    private static final Outcome ANSWER = new Outcome("completed", 1, "", "hash");
    private static final int MAX_FRAME = 262_144;

    private final LogLines log = new LogLines();
    private final ActorSystem<Coordinator.Command> one = start();
    private final ActorSystem<Coordinator.Command> other = start();
    private final int port = Cluster.get(one).selfMember().address().getPort().get();

    private static ActorSystem<Coordinator.Command> start() {
        Behavior<Coordinator.Command> answering = Behaviors.receive(Coordinator.Command.class)
                .onMessage(Coordinator.Follow.class, message -> {
                    message.replyTo().tell(ANSWER);
                    return Behaviors.same();
                })
                .build();
        return ControlPlane.start(answering, "127.0.0.1", 0, Set.of());
    }

    @BeforeEach
    void join() {
        for (ActorSystem<?> node : List.of(one, other)) {
            Cluster.get(node)
                    .manager()
                    .tell(Join.create(Cluster.get(one).selfMember().address()));
        }
        awaitTwo();
    }

    @AfterEach
    void stop() {
        log.close();
        List.of(other, one).forEach(ActorSystem::terminate);
        one.getWhenTerminated().toCompletableFuture().join();
        other.getWhenTerminated().toCompletableFuture().join();
    }

    private void awaitTwo() {
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .until(() -> IntStream.of(members(one), members(other)).sum() == 4);
    }

    private static int members(ActorSystem<?> node) {
        int up = 0;
        for (var member : Cluster.get(node).state().getMembers()) {
            up += member.status() == org.apache.pekko.cluster.MemberStatus.up() ? 1 : 0;
        }
        return up;
    }

    /** A question over the wire. */
    private void assertGoesOn() throws Exception {
        ActorRef<Coordinator.Command> remote = ActorRefResolver.get(other)
                .resolveActorRef(ActorRefResolver.get(one).toSerializationFormat(one));
        Outcome answer = AskPattern.<Coordinator.Command, Outcome>ask(
                        remote, Coordinator.Follow::new, Duration.ofSeconds(10), other.scheduler())
                .toCompletableFuture()
                .get();
        assertEquals(ANSWER, answer);
        assertEquals(2, members(one));
        assertEquals(0, Cluster.get(one).state().getUnreachable().size());
        List<String> complaints = log.of("org.apache.pekko").stream()
                .filter(line ->
                        line.contains("artery") || line.contains("ByteStringParser") || line.contains("Dropping"))
                .toList();
        assertEquals(List.of(), complaints, "Artery has seen a stranger");
    }

    private List<String> lines() {
        return log.of("io.rasterflow.actors.control");
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** A stream header and a frame header. */
    private static byte[] artery(int stream, long length, int version) {
        return ByteBuffer.allocate(64)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(ascii("AKKA"))
                .put((byte) stream)
                .putInt((int) length)
                .put((byte) version)
                .array();
    }

    /** Sends; what is answered until the connection is closed, at the latest after a while. */
    private String say(byte[]... parts) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(10_000);
            for (byte[] part : parts) {
                socket.getOutputStream().write(part);
                socket.getOutputStream().flush();
            }
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private void assertRefused(String reason, byte[]... parts) throws Exception {
        int known = lines().size();
        String answer = say(parts);
        assertTrue(answer.startsWith("refused: ") && answer.contains(reason), answer);
        Awaitility.await().atMost(10, TimeUnit.SECONDS).until(() -> lines().size() > known);
        List<String> said = lines().subList(known, lines().size());
        assertEquals(1, said.size(), said.toString());
        assertEquals(1, said.get(0).lines().count(), said.get(0));
        assertTrue(said.get(0).startsWith("refused a connection of /127.0.0.1:"), said.get(0));
        assertTrue(said.get(0).contains(":" + port + ": ") && said.get(0).contains(reason), said.get(0));
    }

    @Test
    void strangersAreRefusedWithOneLineOnBothSidesAndTheClusterGoesOn() throws Exception {
        byte[] noise = new byte[3_000];
        new Random(1).nextBytes(noise);
        assertRefused("an HTTP request", ascii("GET /metrics HTTP/1.1\r\nHost: node\r\n\r\n"));
        assertRefused("a TLS hello", new byte[] {0x16, 3, 1, 0, (byte) 200, 1, 0, 0, (byte) 196});
        assertRefused("it begins with 0x", noise);
        assertRefused("it begins with 0x", ascii("AK"), ascii("XX"));
        assertRefused("it asks for stream 9", artery(9, 100, 0));
        assertRefused("a message of 4294967295 bytes, 28 to 262144 are allowed", artery(2, 0xFFFFFFFFL, 0));
        assertRefused("a message of 2147483647 bytes", artery(1, Integer.MAX_VALUE, 0));
        assertRefused("a message of 262145 bytes", artery(2, MAX_FRAME + 1, 0));
        assertRefused("a message of 0 bytes", artery(2, 0, 0));
        assertRefused("messages of version 7, this node has 0; use the same version", artery(2, 100, 7));
        assertGoesOn();
    }

    @Test
    void aHeaderThatComesByteByByteIsUnderstoodAndOneThatStopsIsNamed() throws Exception {
        byte[] header = artery(2, MAX_FRAME + 1, 0);
        byte[][] single = new byte[10][1];
        for (int i = 0; i < single.length; i++) {
            single[i][0] = header[i];
        }
        assertRefused("a message of 262145 bytes", single);
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.getOutputStream().write(ascii("AKK"));
        }
        Awaitility.await().atMost(10, TimeUnit.SECONDS).until(() -> lines().stream()
                .anyMatch(line -> line.contains("it ended before")));
        assertEquals(2, lines().size(), lines().toString());
        assertGoesOn();
    }

    @Test
    void aCrowdOfStrangersFillsNeitherTheLogNorTheMemory() throws Exception {
        byte[] flood = new byte[1 << 20];
        for (int i = 0; i < 200; i++) {
            try (Socket socket = new Socket("127.0.0.1", port)) {
                socket.getOutputStream().write(i % 2 == 0 ? artery(2, Integer.MAX_VALUE, 0) : flood);
                if (i % 20 == 0) {
                    socket.getOutputStream().write(flood);
                }
            } catch (IOException closed) {
                assertTrue(closed.getMessage() != null);
            }
        }
        assertGoesOn();
        assertTrue(lines().size() < 40, lines().size() + " lines");
    }

    @Test
    void whoSaysNothingIsSentAwayInTimeAndABusyPortIsOneLine() throws Exception {
        try (ControlPort control = ControlPort.listen("127.0.0.1", 0, MAX_FRAME, 200);
                Socket socket = new Socket("127.0.0.1", control.port())) {
            socket.setSoTimeout(10_000);
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(answer.contains("within 200 ms"), answer);
            int busy = control.port();
            IllegalStateException failed = assertThrows(
                    IllegalStateException.class, () -> ControlPort.listen("127.0.0.1", busy, MAX_FRAME, 200));
            assertTrue(
                    failed.getMessage().startsWith("the node cannot listen on 127.0.0.1:" + busy), failed.getMessage());
        }
    }
}
