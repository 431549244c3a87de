package io.rasterflow.actors.exchange;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/** Writes frames. A failed write reaches the pipeline's {@code exceptionCaught}. */
final class Frames {

    private static final int MAX_REASON_BYTES = 512;
    private static final long FAREWELL_MILLIS = 1_000;

    private Frames() {}

    /** Queues a frame without flushing; the payload is not copied and must not change until it is written. */
    static void write(Channel channel, FrameHeader header, ByteBuffer payload) {
        write(channel, header, Unpooled.wrappedBuffer(payload));
    }

    /** Queues a frame without flushing, and releases the payload when it is written. */
    static void write(Channel channel, FrameHeader header, ByteBuf payload) {
        observe(channel, channel.write(header.encode(payload.nioBuffer(), channel.alloc())));
        if (payload.isReadable()) {
            observe(channel, channel.write(payload));
        } else {
            payload.release();
        }
    }

    /**
     * A broken connection is reported by its reading side, after the farewell that the peer may have left there; only if
     * that stays silent, the failed write counts.
     */
    private static void observe(Channel channel, ChannelFuture write) {
        if (write.isSuccess()) {
            return;
        }
        write.addListener((ChannelFuture done) -> {
            if (done.cause() instanceof IOException && channel.isOpen()) {
                closeLater(channel, () -> channel.pipeline().fireExceptionCaught(done.cause()));
            } else if (!done.isSuccess()) {
                channel.pipeline().fireExceptionCaught(done.cause());
            }
        });
    }

    /** Runs the action if the channel is still open after the time of a farewell. */
    private static void closeLater(Channel channel, Runnable action) {
        var deadline = channel.eventLoop().schedule(action, FAREWELL_MILLIS, TimeUnit.MILLISECONDS);
        channel.closeFuture().addListener(closed -> deadline.cancel(false));
    }

    /** Sends a short frame at once. */
    static void send(Channel channel, FrameType type, int rank, long generation, byte[] payload) {
        send(channel, type, rank, generation, 0, payload);
    }

    private static void send(Channel channel, FrameType type, int rank, long generation, int index, byte[] payload) {
        write(
                channel,
                new FrameHeader(type, rank, generation, 0, index, 0, 0, payload.length),
                ByteBuffer.wrap(payload));
        channel.flush();
    }

    /**
     * Sends the reason as the last frame. Closing the connection with unread bytes would reset it and could lose the
     * reason.
     */
    static void farewell(DuplexChannel channel, FrameType type, int rank, long generation, int index, String reason) {
        if (!channel.isActive() || channel.isOutputShutdown()) {
            close(channel);
            return;
        }
        byte[] payload = reason.getBytes(StandardCharsets.UTF_8);
        byte[] start = Arrays.copyOf(payload, Math.min(payload.length, MAX_REASON_BYTES));
        send(channel, type, rank, generation, index, start);
        finish(channel);
    }

    /** After the last frame: the connection stays open for reading until the peer closes it, a second at most. */
    static void finish(DuplexChannel channel) {
        channel.write(Unpooled.EMPTY_BUFFER).addListener(sent -> {
            var unused = channel.shutdownOutput();
        });
        channel.flush();
        if (channel.isOpen()) {
            closeLater(channel, () -> close(channel));
        }
    }

    /** Closes without waiting; there is nothing to do about a close that fails. */
    static void close(Channel channel) {
        var unused = channel.close();
    }

    static String text(ByteBuffer payload) {
        return StandardCharsets.UTF_8.decode(payload).toString();
    }
}
