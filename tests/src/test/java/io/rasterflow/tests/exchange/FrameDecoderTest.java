package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.rasterflow.actors.exchange.ExchangeException;
import io.rasterflow.actors.exchange.FrameDecoder;
import io.rasterflow.actors.exchange.FrameHeader;
import io.rasterflow.actors.exchange.FrameSink;
import io.rasterflow.actors.exchange.FrameType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class FrameDecoderTest {

    private static final int MAX_FRAME_BYTES = 256;

    /** Collects what arrives; drops frames of generation 0, rejects those of step 99. */
    private static final class Recorder implements FrameSink {
        final List<String> frames = new ArrayList<>();
        String closed;

        @Override
        public ByteBuffer target(FrameHeader header) {
            if (header.step() == 99) {
                throw new ExchangeException("step 99 is not wanted");
            }
            return header.generation() == 0 ? null : ByteBuffer.allocateDirect(header.length());
        }

        @Override
        public void frame(FrameHeader header, ByteBuffer payload) {
            byte[] bytes = new byte[payload.remaining()];
            payload.get(bytes);
            frames.add(header + " " + HexFormat.of().formatHex(bytes));
        }

        @Override
        public void closed(String cause) {
            if (closed == null) {
                closed = cause;
            }
        }
    }

    private final Recorder recorder = new Recorder();
    private final EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(recorder, MAX_FRAME_BYTES));

    private static byte[] frame(long generation, long step, int length) {
        byte[] payload = new byte[length];
        for (int i = 0; i < length; i++) {
            payload[i] = (byte) (3 * i + 1);
        }
        FrameHeader header = new FrameHeader(FrameType.PARTIAL, 65_535, generation, step, 7, 3, 1 << 30, length);
        ByteBuf head = header.encode(ByteBuffer.wrap(payload), UnpooledByteBufAllocator.DEFAULT);
        byte[] bytes = new byte[FrameHeader.BYTES + length];
        head.readBytes(bytes, 0, FrameHeader.BYTES);
        head.release();
        System.arraycopy(payload, 0, bytes, FrameHeader.BYTES, length);
        return bytes;
    }

    private static byte[] concat(byte[]... parts) {
        ByteBuffer all = ByteBuffer.allocate(
                Arrays.stream(parts).mapToInt(part -> part.length).sum());
        Arrays.stream(parts).forEach(all::put);
        return all.array();
    }

    private void write(byte[] bytes, int from, int to) {
        ByteBuf piece = Unpooled.directBuffer(Math.max(1, to - from)).writeBytes(bytes, from, to - from);
        channel.writeInbound(piece);
        assertEquals(0, piece.refCnt());
    }

    @Test
    void everySplitGivesTheSameFrames() {
        byte[] stream = concat(frame(1, 5, 0), frame(0, 5, 9), frame(1, -6, 33), frame(Long.MAX_VALUE, 7, 1));
        write(stream, 0, stream.length);
        List<String> whole = List.copyOf(recorder.frames);
        assertEquals(3, whole.size());
        assertTrue(whole.get(1)
                .contains("rank=65535, generation=1, step=-6, index=7, bucket=3, offset=1073741824, length=33"));
        assertTrue(whole.get(1).endsWith("0104070a0d101316191c1f2225282b2e3134373a3d404346494c4f5255585b5e61"));

        for (int split = 0; split <= stream.length; split++) {
            recorder.frames.clear();
            write(stream, 0, split);
            write(stream, split, stream.length);
            assertEquals(whole, recorder.frames, "split at " + split);
        }
        recorder.frames.clear();
        for (int i = 0; i < stream.length; i++) {
            write(stream, i, i + 1);
        }
        assertEquals(whole, recorder.frames);
        assertEquals(null, recorder.closed);
        assertFalse(channel.finish());
        assertEquals("connection closed by peer", recorder.closed);
    }

    @Test
    void noFlippedBitGetsThrough() {
        byte[] good = frame(1, 5, 21);
        for (int bit = 0; bit < 8 * good.length; bit++) {
            Recorder sink = new Recorder();
            EmbeddedChannel fresh = new EmbeddedChannel(new FrameDecoder(sink, MAX_FRAME_BYTES));
            byte[] bad = good.clone();
            bad[bit / 8] ^= (byte) (1 << bit % 8);
            fresh.writeInbound(Unpooled.wrappedBuffer(bad));
            if (fresh.isOpen()) {
                // A longer length is still waiting for its payload.
                fresh.writeInbound(Unpooled.wrappedBuffer(new byte[MAX_FRAME_BYTES]));
            }
            assertEquals(List.of(), sink.frames, "bit " + bit);
            assertFalse(fresh.isOpen(), "bit " + bit);
            assertFalse(fresh.finish());
        }
    }

    @Test
    void namesWhatIsWrong() {
        assertCause("magic 00465843, expected 52465843", 0, 0);
        assertCause("version 9, this build speaks 4", 4, 9);
        assertCause("type 77 is unknown", 5, 77);
        assertCause("payload bytes, at most 212 are allowed", 36, 0x7f);
        assertCause("payload bytes, at most 212 are allowed", 36, 0xff);
        assertCause("checksum of PARTIAL of step 5", 41, 1);
        assertCause("checksum of PARTIAL of step 5", 45, 55);
    }

    private static void assertCause(String cause, int position, int value) {
        Recorder sink = new Recorder();
        EmbeddedChannel fresh = new EmbeddedChannel(new FrameDecoder(sink, MAX_FRAME_BYTES));
        byte[] bad = frame(1, 5, 21);
        bad[position] = (byte) value;
        fresh.writeInbound(Unpooled.wrappedBuffer(bad));
        assertTrue(sink.closed.contains(cause), sink.closed);
        assertFalse(fresh.finish());
    }

    @Test
    void whatTheSinkRejectsClosesTheConnectionBeforeThePayload() {
        byte[] stream = concat(frame(1, 99, 40), frame(1, 1, 4));
        write(stream, 0, FrameHeader.BYTES);
        assertEquals("step 99 is not wanted", recorder.closed);
        assertFalse(channel.isOpen());
        assertEquals(List.of(), recorder.frames);
        assertFalse(channel.finish());
    }
}
