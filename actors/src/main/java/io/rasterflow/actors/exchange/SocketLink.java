package io.rasterflow.actors.exchange;

import io.netty.channel.socket.DuplexChannel;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.RejectedExecutionException;

/**
 * A peer behind a socket. What is to be sent waits as ranges of existing buffers and becomes frames only while the
 * channel is writable, so the bytes in flight are bounded by the write-buffer water mark and the waiting ranges by the
 * plan of one step.
 */
final class SocketLink implements Link, FrameSink {

    private final DuplexChannel channel;
    private final RankExchange exchange;
    private final int peer;
    private final long generation;
    private final int chunkBytes;
    private final Heartbeat heartbeat;

    // The event loop's own.
    private final Deque<Transfer> waiting = new ArrayDeque<>();
    private boolean ended;

    SocketLink(DuplexChannel channel, RankExchange exchange, int peer) {
        this.channel = channel;
        this.exchange = exchange;
        this.peer = peer;
        this.generation = exchange.plan().generation().number();
        this.chunkBytes = exchange.plan().chunkFloats() * Float.BYTES;
        this.heartbeat = new Heartbeat(
                channel, exchange.rank(), generation, exchange.plan().config(), this::silent);
    }

    /** Takes over the connection from its handshake; on the event loop. */
    void start(FrameDecoder decoder) {
        decoder.become(this, exchange.plan().config().maxFrameBytes());
        heartbeat.start();
    }

    /** A range of a buffer that is sent frame by frame: the position moves. */
    private record Transfer(
            FrameType type, long step, int index, int bucket, int offset, int frameBytes, ByteBuffer data) {}

    // ---- Sending

    @Override
    public void partial(long step, int slot, int bucket, ByteBuffer slice) {
        enqueue(new Transfer(FrameType.PARTIAL, step, slot, bucket, 0, chunkBytes, slice));
    }

    @Override
    public void reduced(long step, int bucket, int chunk, ByteBuffer values) {
        int offset = chunk * exchange.plan().chunkFloats();
        enqueue(new Transfer(FrameType.REDUCED, step, exchange.rank(), bucket, offset, chunkBytes, values));
    }

    @Override
    public void scalars(long step, Scalars scalars) {
        int first = exchange.plan().firstMicroBatch(exchange.rank());
        ByteBuffer data = scalars.encode();
        enqueue(new Transfer(FrameType.SCALARS, step, first, 0, 0, data.remaining(), data));
    }

    @Override
    public void abort(String reason, int culprit) {
        execute(() -> {
            if (end()) {
                Frames.farewell(channel, FrameType.ABORT, exchange.rank(), generation, culprit, reason);
            }
        });
    }

    private void enqueue(Transfer transfer) {
        execute(() -> {
            if (!ended) {
                waiting.add(transfer);
                writable();
            }
        });
    }

    private void execute(Runnable task) {
        if (channel.eventLoop().inEventLoop()) {
            task.run();
            return;
        }
        try {
            channel.eventLoop().execute(task);
        } catch (RejectedExecutionException e) {
            exchange.lost(peer, "the data plane of this process is closed");
        }
    }

    @Override
    public void writable() {
        boolean wrote = false;
        while (!waiting.isEmpty() && channel.isWritable()) {
            writeFrame(waiting.peek());
            wrote = true;
            if (!waiting.isEmpty() && !waiting.peek().data().hasRemaining()) {
                waiting.remove();
            }
        }
        if (wrote) {
            heartbeat.sent();
            channel.flush();
        }
    }

    private void writeFrame(Transfer transfer) {
        ByteBuffer data = transfer.data();
        int start = data.position();
        int length = Math.min(transfer.frameBytes(), data.remaining());
        FrameHeader header = new FrameHeader(
                transfer.type(),
                exchange.rank(),
                generation,
                transfer.step(),
                transfer.index(),
                transfer.bucket(),
                transfer.offset() + start / Float.BYTES,
                length);
        Frames.write(channel, header, data.slice(start, length));
        data.position(start + length);
    }

    // ---- Receiving

    @Override
    public ByteBuffer target(FrameHeader header) {
        if (ended || header.generation() != generation || header.type() == FrameType.PING) {
            return null;
        }
        if (header.rank() != peer) {
            throw new ExchangeException("corrupt frame: it says rank " + header.rank());
        }
        return header.type() == FrameType.ABORT ? ByteBuffer.allocate(header.length()) : exchange.target(peer, header);
    }

    @Override
    public void frame(FrameHeader header, ByteBuffer payload) {
        if (header.type() == FrameType.ABORT) {
            if (end()) {
                exchange.aborted(peer, Frames.text(payload), header.index());
            }
            Frames.close(channel);
        } else {
            exchange.arrived(peer, header, payload);
        }
    }

    @Override
    public void heard() {
        heartbeat.heard();
    }

    private void silent(String cause) {
        closed(cause);
        Frames.close(channel);
    }

    @Override
    public void closed(String cause) {
        if (end()) {
            exchange.lost(peer, cause);
        }
    }

    /** Whether this call ended the link. */
    private boolean end() {
        boolean first = !ended;
        heartbeat.stop();
        ended = true;
        waiting.clear();
        return first;
    }
}
