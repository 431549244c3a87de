package io.rasterflow.actors.exchange;

import io.netty.channel.socket.DuplexChannel;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends a replica's state to a peer that fetches it, while the channel is writable: blocks are not copied, and what is in
 * flight is bounded by the write-buffer water mark. On the event loop.
 */
final class StateSender implements FrameSink {

    private static final Logger LOG = LoggerFactory.getLogger(StateSender.class);

    private final DuplexChannel channel;
    private final int chunkBytes;
    private final Heartbeat heartbeat;
    private final Deque<ByteBuffer> blocks = new ArrayDeque<>();
    private int block;
    private boolean begun;
    private boolean done;

    private StateSender(DuplexChannel channel, ExchangeConfig config) {
        this.channel = channel;
        this.chunkBytes = config.chunkBytes();
        this.heartbeat = new Heartbeat(channel, 0, 0, config, cause -> {
            closed(cause);
            Frames.close(channel);
        });
    }

    /** Takes over a connection whose handshake is complete, and asks the source. */
    static void start(AcceptorHandshake visitor, StateSource source, ExchangeConfig config) {
        StateSender sender = new StateSender(visitor.channel(), config);
        visitor.welcome(0);
        visitor.decoder().become(sender, Greeting.MAX_FRAME_BYTES);
        sender.heartbeat.start();
        var unused =
                source.state().whenComplete((state, failure) -> sender.execute(() -> sender.answer(state, failure)));
    }

    private void execute(Runnable task) {
        try {
            channel.eventLoop().execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("the data plane was closed before a state could be sent");
        }
    }

    private void answer(PeerState state, Throwable failure) {
        if (done) {
            return;
        }
        if (failure != null) {
            Throwable cause = failure.getCause() == null ? failure : failure.getCause();
            end();
            Frames.farewell(channel, FrameType.REFUSE, 0, 0, 0, String.valueOf(cause.getMessage()));
            return;
        }
        ByteBuffer header = ByteBuffer.wrap(state.header());
        int count = state.blocks().size();
        Frames.write(
                channel,
                new FrameHeader(FrameType.STATE_HEADER, 0, 0, state.bytes(), count, 0, 0, header.remaining()),
                header);
        state.blocks().forEach(values -> blocks.add(values.slice()));
        begun = true;
        writable();
        channel.flush();
    }

    @Override
    public void writable() {
        boolean wrote = false;
        while (begun && !done && channel.isWritable()) {
            ByteBuffer values = blocks.peek();
            if (values == null) {
                end();
                Frames.write(
                        channel, new FrameHeader(FrameType.STATE_END, 0, 0, 0, 0, 0, 0, 0), ByteBuffer.allocate(0));
            } else if (values.hasRemaining()) {
                int start = values.position();
                int length = Math.min(chunkBytes, values.remaining());
                FrameHeader header = new FrameHeader(FrameType.STATE, 0, 0, start, block, 0, 0, length);
                Frames.write(channel, header, values.slice(start, length));
                values.position(start + length);
            } else {
                blocks.remove();
                block++;
            }
            wrote = true;
        }
        if (wrote) {
            heartbeat.sent();
            channel.flush();
        }
    }

    @Override
    public void heard() {
        heartbeat.heard();
    }

    @Override
    public ByteBuffer target(FrameHeader header) {
        if (header.type() != FrameType.PING) {
            throw new ExchangeException("a frame of type " + header.type() + " while a state is sent");
        }
        return null;
    }

    @Override
    public void frame(FrameHeader header, ByteBuffer payload) {
        throw new IllegalStateException("pings are dropped");
    }

    @Override
    public void closed(String cause) {
        if (!done) {
            LOG.warn("{} no longer takes the state that it asked for: {}", channel.remoteAddress(), cause);
            end();
        }
        heartbeat.stop();
    }

    /** Nothing is sent any more. The peer closes the connection when it has everything, or falls silent. */
    private void end() {
        done = true;
        blocks.clear();
    }
}
