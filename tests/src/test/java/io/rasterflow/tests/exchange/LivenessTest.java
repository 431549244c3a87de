package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.ExchangeException;
import io.rasterflow.actors.exchange.FrameType;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.exchange.Liveness;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whether a peer is there: asked directly, and noticed on the connections of a generation. */
class LivenessTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final DataPlane plane = DataPlane.bind(World.address(World.SECRET), PeerProcess.CONFIG);

    @AfterEach
    void close() {
        plane.close();
    }

    private static <T> T get(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private static DataAddress at(String process, int port) {
        return new DataAddress(process, "127.0.0.1", port, 0);
    }

    /** Stopped, it holds its port but says nothing; killed, it does not even hold that. */
    @Test
    void aProcessThatIsStoppedAndThenKilled() throws Exception {
        try (PeerProcess peer = new PeerProcess(plane.address(0))) {
            Generation generation = new Generation(1, List.of(plane.address(0), peer.address), 2);
            Exchange exchange = get(plane.join(generation, 0, List.of(10)));
            assertEquals(Liveness.ALIVE, get(plane.confirm(peer.address, PATIENCE)));
            exchange.begin(0);
            assertEquals(40, exchange.nextGradient().get(0).remaining());
            exchange.contribute(0, 0, 0);
            CompletableFuture<Exchange.Reduced> outstanding =
                    exchange.allReduce().toCompletableFuture();
            assertFalse(outstanding.isDone());

            peer.signal("STOP");
            ExecutionException failed =
                    assertThrows(ExecutionException.class, () -> outstanding.get(30, TimeUnit.SECONDS));
            ExchangeException lost = (ExchangeException) failed.getCause();
            assertTrue(lost.getMessage().contains("silent for 600 ms"), lost.getMessage());
            assertEquals(Optional.of(peer.address), lost.peer());
            assertEquals(Liveness.SILENT, get(plane.confirm(peer.address, Duration.ofMillis(200))));

            peer.signal("CONT");
            assertEquals(Liveness.ALIVE, get(plane.confirm(peer.address, PATIENCE)));

            peer.signal("KILL");
            peer.awaitEnd();
            assertEquals(Liveness.GONE, get(plane.confirm(peer.address, PATIENCE)));
        }
    }

    @Test
    void idleRanksAreNotLost() throws Exception {
        try (World world = new World(2, List.of(10), PeerProcess.CONFIG, 1, 1)) {
            world.run(0, 1, World.Pause.NONE);
            Awaitility.await()
                    .during(Duration.ofMillis(1_500))
                    .atMost(Duration.ofSeconds(10))
                    .until(() -> world.exchanges.stream()
                            .noneMatch(exchange ->
                                    exchange.allReduce().toCompletableFuture().isCompletedExceptionally()));
            world.run(1, 3, World.Pause.NONE);
        }
    }

    @Test
    void aProcessIsAliveForItselfToo() throws Exception {
        assertEquals(Liveness.ALIVE, get(plane.confirm(plane.address(5), PATIENCE)));
    }

    @Test
    void anotherProcessOrAForeignSecretIsNotTheOneThatIsMeant() throws Exception {
        DataAddress self = plane.address(0);
        assertEquals(Liveness.GONE, get(plane.confirm(at("somebody else", self.port()), PATIENCE)));
        try (DataPlane stranger = DataPlane.bind(World.address("foreign"), PeerProcess.CONFIG)) {
            assertEquals(Liveness.GONE, get(stranger.confirm(self, PATIENCE)));
        }
        assertEquals(Liveness.ALIVE, get(plane.confirm(self, PATIENCE)));
    }

    @Test
    void nobodyListens() throws Exception {
        int port;
        try (ServerSocket server = new ServerSocket(0)) {
            port = server.getLocalPort();
        }
        assertEquals(Liveness.GONE, get(plane.confirm(at("gone", port), PATIENCE)));
    }

    @Test
    void aListenerThatSaysNothingOrHangsUp() throws Exception {
        try (ServerSocket server = new ServerSocket(0)) {
            server.setSoTimeout(20_000);
            DataAddress address = at("mute", server.getLocalPort());
            assertEquals(Liveness.SILENT, get(plane.confirm(address, Duration.ofMillis(200))));
            server.accept().close();
            CompletionStage<Liveness> asked = plane.confirm(address, PATIENCE);
            server.accept().close();
            server.accept().close();
            try (WirePeer peer = WirePeer.visited(server, World.SECRET, FrameType.CONFIRM)) {
                assertEquals(Liveness.ALIVE, get(asked));
                assertTrue(peer.closedByPeer());
            }
        }
    }

    @Test
    void afterCloseNothingIsLeftOpen() throws Exception {
        try (ServerSocket server = new ServerSocket(0)) {
            CompletionStage<Liveness> asked = plane.confirm(at("mute", server.getLocalPort()), PATIENCE);
            plane.close();
            assertThrows(ExecutionException.class, () -> get(asked));
            assertThrows(ExecutionException.class, () -> get(plane.confirm(at("mute", 1), PATIENCE)));
        }
    }
}
