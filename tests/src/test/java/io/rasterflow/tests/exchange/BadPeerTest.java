package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.ExchangeException;
import io.rasterflow.actors.exchange.FrameHeader;
import io.rasterflow.actors.exchange.FrameType;
import io.rasterflow.actors.exchange.Generation;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a peer that speaks the protocol on a plain socket can do to rank 1 of two. 48 floats: slices of 16 and 32. */
class BadPeerTest {

    private static final int FLOATS = 48;
    private static final long GENERATION = 7;
    private static final long STEP = 100;

    private final DataPlane plane = DataPlane.bind(World.address(World.SECRET), World.config(64, 10_000));
    private final float[] theirs = World.gradient(STEP, 0, FLOATS);
    private final float[] ours = World.gradient(STEP, 1, FLOATS);
    private Exchange exchange;
    private CompletionStage<Exchange.Reduced> result;

    @AfterEach
    void close() {
        if (exchange != null) {
            exchange.close();
        }
        plane.close();
    }

    private WirePeer connect() throws Exception {
        Generation generation = new Generation(GENERATION, List.of(WirePeer.ADDRESS, plane.address(0)), 2);
        CompletionStage<Exchange> join = plane.join(generation, 1, List.of(FLOATS));
        WirePeer peer = new WirePeer(plane.address(0), GENERATION);
        peer.handshake(World.SECRET, 2, FLOATS);
        exchange = join.toCompletableFuture().get(10, TimeUnit.SECONDS);
        exchange.begin(STEP);
        exchange.nextGradient().get(0).asFloatBuffer().put(ours);
        exchange.contribute(0.25, 5, 1);
        result = exchange.allReduce();
        return peer;
    }

    private byte[] partial(long generation, long step, int slot, int chunk) {
        int from = 16 + chunk * 16;
        return WirePeer.frame(
                FrameType.PARTIAL, generation, step, slot, chunk * 16, WirePeer.floats(theirs, from, from + 16));
    }

    private byte[] reduced(long step) {
        return WirePeer.frame(FrameType.REDUCED, GENERATION, step, 0, 0, WirePeer.floats(theirs, 0, 16));
    }

    private static byte[] scalars(long step) {
        return WirePeer.frame(FrameType.SCALARS, GENERATION, step, 0, 0, WirePeer.scalars(0.5, 7, 2, 2.5));
    }

    private static void take(WirePeer peer, Map<String, String> sent) throws IOException {
        WirePeer.Frame frame = peer.receive();
        sent.put(
                frame.header().type() + " " + frame.header().index() + " "
                        + frame.header().offset(),
                HexFormat.of().formatHex(frame.payload()));
    }

    @Test
    void theProtocolIsAsDrawnAndFramesOfAnotherGenerationAreDropped() throws Exception {
        try (WirePeer peer = connect()) {
            peer.send(partial(GENERATION - 1, STEP, 0, 0));
            peer.send(partial(GENERATION, STEP, 0, 0));
            peer.send(partial(GENERATION + 1, STEP, 55, 1));
            peer.send(WirePeer.frame(FrameType.ABORT, GENERATION - 1, 0, 0, 0, new byte[] {'o', 'l', 'd'}));
            peer.send(scalars(STEP));
            // A chunk is finished by who has read its addends, so they may be overwritten then.
            Map<String, String> sent = new TreeMap<>();
            while (!sent.containsKey("PARTIAL 1 0")) {
                take(peer, sent);
            }
            peer.send(reduced(STEP));
            peer.send(partial(GENERATION, STEP, 0, 1));

            Exchange.Reduced sum = result.toCompletableFuture().get(10, TimeUnit.SECONDS);
            float[] expected = theirs.clone();
            for (int i = 16; i < FLOATS; i++) {
                expected[i] += ours[i];
            }
            assertArrayEquals(World.bits(expected), World.bits(World.take(sum)));
            assertEquals(0.75, sum.lossSum(), 0.0);
            assertEquals(12, sum.patches());
            assertEquals(3, sum.images());
            double squaredNorm = 0;
            for (float value : ours) {
                squaredNorm += value * value;
            }
            squaredNorm /= 25;
            assertEquals((2.5 + squaredNorm) / 2, sum.meanSquaredNorm(), 0.0);

            // Partial sums and finished chunks may overtake each other.
            while (sent.size() < 4) {
                take(peer, sent);
            }
            HexFormat hex = HexFormat.of();
            assertEquals(
                    Map.of(
                            "PARTIAL 1 0", hex.formatHex(WirePeer.floats(ours, 0, 16)),
                            "SCALARS 1 0", hex.formatHex(WirePeer.scalars(0.25, 5, 1, squaredNorm)),
                            "REDUCED 1 0", hex.formatHex(WirePeer.floats(expected, 16, 32)),
                            "REDUCED 1 16", hex.formatHex(WirePeer.floats(expected, 32, 48))),
                    sent);
        }
    }

    @Test
    void aFastPeerMayBeOneStepAhead() throws Exception {
        try (WirePeer peer = connect()) {
            for (long step = STEP; step < STEP + 2; step++) {
                peer.send(partial(GENERATION, step, 0, 0));
                peer.send(partial(GENERATION, step, 0, 1));
                peer.send(scalars(step));
                if (step == STEP) {
                    peer.send(reduced(step));
                }
            }
            Exchange.Reduced first = result.toCompletableFuture().get(10, TimeUnit.SECONDS);
            assertEquals(12, first.patches());
            exchange.begin(STEP + 1);
            exchange.nextGradient().get(0).asFloatBuffer().put(ours);
            exchange.contribute(0.25, 5, 1);
            peer.send(reduced(STEP + 1));
            Exchange.Reduced second = exchange.allReduce().toCompletableFuture().get(10, TimeUnit.SECONDS);
            assertEquals(12, second.patches());
            assertEquals(
                    theirs[40] + ours[40],
                    second.gradientSum().get(0).asFloatBuffer().get(40),
                    0.0f);
        }
    }

    @Test
    void aSlotThatIsNotThePeers() throws Exception {
        assertLost(partial(GENERATION, STEP, 1, 0), "slot 1 is not one of rank 0");
    }

    @Test
    void aSlotOutOfRange() throws Exception {
        assertLost(partial(GENERATION, STEP, 55, 0), "slot 55 is not one of rank 0");
    }

    @Test
    void aChunkOutOfRange() throws Exception {
        byte[] values = WirePeer.floats(theirs, 0, 16);
        assertLost(
                WirePeer.frame(FrameType.PARTIAL, GENERATION, STEP, 0, 32, values),
                "64 bytes at float 32 is no chunk of slice 1 (32 floats)");
    }

    @Test
    void aChunkAcrossTwo() throws Exception {
        byte[] values = WirePeer.floats(theirs, 0, 16);
        assertLost(WirePeer.frame(FrameType.PARTIAL, GENERATION, STEP, 0, 8, values), "at float 8 is no chunk");
    }

    @Test
    void aNegativeOffset() throws Exception {
        byte[] values = WirePeer.floats(theirs, 0, 16);
        assertLost(WirePeer.frame(FrameType.REDUCED, GENERATION, STEP, 0, -16, values), "at float -16 is no chunk");
    }

    @Test
    void aChunkThatIsTooShort() throws Exception {
        byte[] values = WirePeer.floats(theirs, 0, 15);
        assertLost(WirePeer.frame(FrameType.REDUCED, GENERATION, STEP, 0, 0, values), "60 bytes at float 0");
    }

    @Test
    void theSameChunkTwice() throws Exception {
        try (WirePeer peer = connect()) {
            peer.send(reduced(STEP));
            peer.send(reduced(STEP));
            assertLost(peer, "chunk 0 of step 100 came twice");
        }
    }

    @Test
    void theSecondChunkFirst() throws Exception {
        assertLost(partial(GENERATION, STEP, 0, 1), "chunk 1 came where 0 is next");
    }

    @Test
    void aStepThatIsOver() throws Exception {
        assertLost(scalars(STEP - 1), "rank 0 is at step 99, rank 1 at step 100");
    }

    @Test
    void aStepAheadBeforeThisOneIsAdded() throws Exception {
        try (WirePeer peer = connect()) {
            peer.send(partial(GENERATION, STEP, 0, 0));
            peer.send(partial(GENERATION, STEP, 0, 1));
            peer.send(partial(GENERATION, STEP + 1, 0, 0));
            peer.send(partial(GENERATION, STEP + 2, 0, 0));
            assertLost(peer, "rank 0 is at step 102");
        }
    }

    @Test
    void scalarsOfAnotherNumberOfMicroBatches() throws Exception {
        assertLost(
                WirePeer.frame(FrameType.SCALARS, GENERATION, STEP, 0, 0, new byte[44]),
                "44 bytes of scalars for 1 micro-batches");
    }

    @Test
    void aSecondHello() throws Exception {
        assertLost(WirePeer.frame(FrameType.HELLO, GENERATION, STEP, 0, 0, new byte[80]), "type HELLO inside a step");
    }

    @Test
    void aChecksumThatIsWrong() throws Exception {
        byte[] frame = partial(GENERATION, STEP, 0, 0);
        frame[60] ^= 4;
        assertLost(frame, "checksum of PARTIAL of step 100");
    }

    @Test
    void bytesThatAreNoFrame() throws Exception {
        byte[] frame = new byte[FrameHeader.BYTES];
        assertLost(frame, "magic 00000000");
    }

    @Test
    void aFrameThatIsTooLong() throws Exception {
        byte[] frame = WirePeer.frame(FrameType.PARTIAL, GENERATION, STEP, 0, 0, new byte[8192]);
        assertLost(frame, "8192 payload bytes, at most 4116 are allowed");
    }

    @Test
    void aConnectionThatBreaksInsideAFrame() throws Exception {
        try (WirePeer peer = connect()) {
            byte[] frame = partial(GENERATION, STEP, 0, 0);
            peer.send(Arrays.copyOf(frame, 50));
            peer.close();
            assertCause("connection closed by peer");
        }
    }

    @Test
    void aBucketOutOfRange() throws Exception {
        byte[] values = WirePeer.floats(theirs, 0, 16);
        FrameHeader header = new FrameHeader(FrameType.PARTIAL, 0, GENERATION, STEP, 0, 1, 0, 64);
        assertLost(WirePeer.frame(header, values), "bucket 1 is not one of 1");
    }

    @Test
    void anAbortTellsWhy() throws Exception {
        assertLost(
                WirePeer.frame(FrameType.ABORT, GENERATION, 0, 0, 0, "out of memory".getBytes("UTF-8")),
                "out of memory");
    }

    private void assertLost(byte[] frame, String cause) throws Exception {
        try (WirePeer peer = connect()) {
            peer.send(frame);
            assertLost(peer, cause);
        }
    }

    private void assertLost(WirePeer peer, String cause) throws Exception {
        assertCause(cause);
        assertTrue(peer.closedByPeer());
    }

    private void assertCause(String cause) {
        ExecutionException failed = assertThrows(
                ExecutionException.class, () -> result.toCompletableFuture().get(10, TimeUnit.SECONDS));
        ExchangeException exception = (ExchangeException) failed.getCause();
        assertEquals(Optional.of(WirePeer.ADDRESS), exception.peer());
        assertTrue(
                exception.getMessage().startsWith("lost rank 0 at 127.0.0.1:9 (")
                        && exception.getMessage().contains(cause),
                exception.getMessage());
        assertTrue(exchange.allReduce().toCompletableFuture().isCompletedExceptionally());
        exchange.begin(STEP + 1);
        assertEquals(4 * FLOATS, exchange.nextGradient().get(0).remaining());
        exchange.contribute(0, 0, 0);
        assertTrue(exchange.allReduce().toCompletableFuture().isCompletedExceptionally());
    }
}
