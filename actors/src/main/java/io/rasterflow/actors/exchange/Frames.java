package io.rasterflow.actors.exchange;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Writes frames. A failed write reaches the pipeline's {@code exceptionCaught}. */
final class Frames {

    private static final int MAX_REASON_BYTES = 512;
    private static final long FAREWELL_MILLIS = 1_000;

    private Frames() {}

    /** Queues a frame without flushing; the payload is not copied and must not change until it is written. */
    static void write(Channel channel, FrameHeader header, ByteBuffer payload) {
        observe(channel, channel.write(header.encode(payload, channel.alloc())));
        if (payload.hasRemaining()) {
            observe(channel, channel.write(Unpooled.wrappedBuffer(payload)));
        }
    }

    private static void observe(Channel channel, ChannelFuture write) {
        if (!write.isDone() || !write.isSuccess()) {
            write.addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
        }
    }

    /** Sends a short frame at once. */
    static void send(Channel channel, FrameType type, int rank, long generation, byte[] payload) {
        write(channel, new FrameHeader(type, rank, generation, 0, 0, 0, payload.length), ByteBuffer.wrap(payload));
        channel.flush();
    }

    /** Sends the reason as the last frame and closes; a peer that does not read delays that by a second at most. */
    static void farewell(Channel channel, FrameType type, int rank, long generation, String reason) {
        if (!channel.isActive()) {
            close(channel);
            return;
        }
        byte[] payload = reason.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(payload.length, MAX_REASON_BYTES);
        FrameHeader header = new FrameHeader(type, rank, generation, 0, 0, 0, length);
        ByteBuffer text = ByteBuffer.wrap(payload, 0, length);
        ChannelFuture head = channel.write(header.encode(text, channel.alloc()));
        ChannelFuture last = length == 0 ? head : channel.write(Unpooled.wrappedBuffer(text));
        last.addListener(ChannelFutureListener.CLOSE);
        channel.flush();
        if (channel.isOpen()) {
            var deadline = channel.eventLoop().schedule(() -> close(channel), FAREWELL_MILLIS, TimeUnit.MILLISECONDS);
            channel.closeFuture().addListener(closed -> deadline.cancel(false));
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
