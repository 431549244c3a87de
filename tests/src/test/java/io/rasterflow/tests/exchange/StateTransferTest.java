package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.exchange.ExchangeConfig;
import io.rasterflow.actors.exchange.ExchangeException;
import io.rasterflow.actors.exchange.FrameType;
import io.rasterflow.actors.exchange.PeerState;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a rank that joins takes from a peer, and what a peer that fails or lies can do to it. */
class StateTransferTest {

    private static final ExchangeConfig CONFIG = new ExchangeConfig(
            ExchangeConfig.Transport.AUTO, ExchangeConfig.Wire.FP32, 64, 1 << 18, 1 << 20, 50, 1_000, 10_000);

    private final DataPlane source = DataPlane.bind(World.address(World.SECRET), CONFIG);
    private final DataPlane joiner = DataPlane.bind(World.address(World.SECRET), CONFIG);

    @AfterEach
    void close() {
        joiner.close();
        source.close();
    }

    private static ByteBuffer block(int bytes, long seed) {
        ByteBuffer block = ByteBuffer.allocateDirect(bytes);
        for (long value = seed; block.remaining() >= Long.BYTES; value = value * 6364136223846793005L + 1) {
            block.putLong(value);
        }
        while (block.hasRemaining()) {
            block.put((byte) seed);
        }
        return block.flip();
    }

    private static PeerState take(CompletionStage<PeerState> fetch) throws Exception {
        return fetch.toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private static ExchangeException failure(CompletionStage<PeerState> fetch) {
        ExecutionException failed = assertThrows(ExecutionException.class, () -> take(fetch));
        return (ExchangeException) failed.getCause();
    }

    private void assertFails(String cause, DataAddress peer, Long... bytes) {
        ExchangeException failed = failure(joiner.fetch(peer, List.of(bytes)));
        assertTrue(
                failed.getMessage().startsWith("cannot take the state of 127.0.0.1:" + peer.port() + " (")
                        && failed.getMessage().contains(cause),
                failed.getMessage());
        assertEquals(Optional.of(peer), failed.peer());
    }

    @Test
    void twoHundredMegabytesArriveBitExact() throws Exception {
        byte[] header = new byte[PeerState.MAX_HEADER_BYTES];
        header[77] = 7;
        List<ByteBuffer> blocks = Stream.of(100_000_001, 0, 12, 100_000_000)
                .map(bytes -> block(bytes, 31L * bytes))
                .toList();
        source.offer(3, () -> CompletableFuture.completedFuture(new PeerState(header, blocks)));
        List<Long> lengths =
                blocks.stream().map(block -> (long) block.remaining()).toList();
        PeerState state = take(joiner.fetch(source.address(3), lengths));
        assertArrayEquals(header, state.header());
        for (int i = 0; i < blocks.size(); i++) {
            assertEquals(-1, blocks.get(i).mismatch(state.blocks().get(i)), "block " + i);
        }
    }

    @Test
    void severalJoinersAtOnceAndHeapBlocks() throws Exception {
        ByteBuffer values = ByteBuffer.wrap(new byte[3_000_000]);
        new java.util.Random(1).nextBytes(values.array());
        source.offer(0, () -> CompletableFuture.supplyAsync(() -> new PeerState(new byte[0], List.of(values))));
        List<CompletionStage<PeerState>> fetches = Stream.generate(
                        () -> joiner.fetch(source.address(0), List.of(3_000_000L)))
                .limit(5)
                .toList();
        for (CompletionStage<PeerState> fetch : fetches) {
            assertEquals(-1, values.mismatch(take(fetch).blocks().get(0)));
        }
    }

    @Test
    void otherBlocksThanExpected() {
        PeerState state = new PeerState(new byte[9], List.of(block(100, 1), block(50, 2)));
        source.offer(0, () -> CompletableFuture.completedFuture(state));
        assertFails("2 blocks of 150 bytes together, expected are 1 of 150", source.address(0), 150L);
        assertFails("2 blocks of 150 bytes together, expected are 2 of 151", source.address(0), 100L, 51L);
        assertFails("100 bytes at 0 of block 0, next is byte 0 of block 0", source.address(0), 90L, 60L);
        assertFails("50 bytes at 0 of block 1, next is byte 100 of block 0", source.address(0), 110L, 40L);
        assertThrows(IllegalArgumentException.class, () -> joiner.fetch(source.address(0), List.of(1L << 31)));
        assertThrows(IllegalArgumentException.class, () -> new PeerState(new byte[65_537], List.of()));
    }

    @Test
    void whatTheSourceSaysReachesTheJoiner() {
        source.offer(1, () -> CompletableFuture.failedFuture(new IllegalStateException("step 9 has just begun")));
        assertFails("refused: step 9 has just begun", source.address(1), 10L);
        assertFails("refused: replica 4 of this process offers no state", source.address(4), 10L);
        DataAddress other =
                new DataAddress("another", "127.0.0.1", source.address(0).port(), 0);
        assertFails("refused: process another is not here", other, 10L);
    }

    /** The source may need the time of a step; its heartbeat says meanwhile that it is there. */
    @Test
    void aStateThatTakesLongerThanTheSilenceThatIsAllowed() throws Exception {
        source.offer(
                0,
                () -> CompletableFuture.supplyAsync(
                        () -> new PeerState(new byte[1], List.of()),
                        CompletableFuture.delayedExecutor(1_500, TimeUnit.MILLISECONDS)));
        assertEquals(1, take(joiner.fetch(source.address(0), List.of())).header().length);
    }

    @Test
    void aSourceThatClosesFailsTheFetch() {
        CompletableFuture<PeerState> never = new CompletableFuture<>();
        source.offer(0, () -> {
            Thread closer = new Thread(source::close, "closer");
            closer.start();
            return never;
        });
        assertFails("", source.address(0), 10L);
    }

    private interface Script {
        void play(WirePeer peer) throws IOException;
    }

    private void assertFails(String cause, Script script) throws Exception {
        try (ServerSocket server = new ServerSocket(0)) {
            DataAddress address = new DataAddress("wire", "127.0.0.1", server.getLocalPort(), 0);
            CompletionStage<PeerState> fetch = joiner.fetch(address, List.of(8L, 8L));
            try (WirePeer peer = WirePeer.visited(server, World.SECRET, FrameType.FETCH)) {
                script.play(peer);
                ExchangeException failed = failure(fetch);
                assertTrue(failed.getMessage().contains(cause), failed.getMessage());
                assertTrue(peer.closedByPeer());
            }
        }
    }

    private static byte[] header() {
        return WirePeer.frame(FrameType.STATE_HEADER, 0, 16, 2, 0, new byte[3]);
    }

    private static byte[] chunk(int block, long start, int bytes) {
        return WirePeer.frame(FrameType.STATE, 0, start, block, 0, new byte[bytes]);
    }

    @Test
    void aPeerThatDiesInTheMiddle() throws Exception {
        assertFails("connection closed by peer", peer -> {
            peer.send(header());
            peer.send(java.util.Arrays.copyOf(chunk(0, 0, 8), 50));
            peer.close();
        });
    }

    @Test
    void aPeerThatFallsSilent() throws Exception {
        assertFails("silent for 1000 ms", peer -> peer.send(header()));
    }

    @Test
    void aPeerThatNeverAnswers() throws Exception {
        try (ServerSocket server = new ServerSocket(0)) {
            assertFails("silent for 1000 ms", new DataAddress("mute", "127.0.0.1", server.getLocalPort(), 0), 1L);
        }
    }

    @Test
    void aCorruptChunk() throws Exception {
        byte[] bad = chunk(0, 0, 8);
        bad[bad.length - 1] ^= 1;
        assertFails("checksum of STATE", peer -> {
            peer.send(header());
            peer.send(bad);
        });
    }

    @Test
    void chunksOutOfPlace() throws Exception {
        assertFails("8 bytes at 0 of block 0", peer -> peer.send(chunk(0, 0, 8)));
        assertFails("next is byte 4 of block 0", peer -> {
            peer.send(header());
            peer.send(chunk(0, 0, 4));
            peer.send(chunk(0, 0, 4));
        });
        assertFails("9 bytes at 0 of block 0", peer -> {
            peer.send(header());
            peer.send(chunk(0, 0, 9));
        });
        assertFails("ends at byte 0 of block 1", peer -> {
            peer.send(header());
            peer.send(chunk(0, 0, 8));
            peer.send(WirePeer.frame(FrameType.STATE_END, 0, 0, 0, 0, new byte[0]));
        });
        assertFails(
                "type PARTIAL in a state",
                peer -> peer.send(WirePeer.frame(FrameType.PARTIAL, 0, 0, 0, 0, new byte[8])));
    }
}
