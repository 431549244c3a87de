package io.rasterflow.actors.exchange;

import io.netty.buffer.ByteBuf;
import io.netty.channel.socket.DuplexChannel;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;

/**
 * A peer behind a socket. What is to be sent waits as ranges of existing buffers and becomes frames only while the
 * channel is writable, so the bytes in flight are bounded by the write-buffer water mark and the waiting ranges by the
 * plan of one step.
 */
final class SocketLink implements Link, FrameSink {

    /** Finished chunks in shared memory that are announced by one system call. */
    private static final int UNFLUSHED_FRAMES = 4;

    private final DuplexChannel channel;
    private final RankExchange exchange;
    private final int peer;
    private final long generation;
    private final int chunkBytes;
    private final Heartbeat heartbeat;
    private final boolean readable;

    // The event loop's own.
    private final Deque<Transfer> waiting = new ArrayDeque<>();
    private boolean ended;
    private int unflushed;
    private Optional<PeerMemory> memory;
    /** With bf16 on the wire: where a packed chunk arrives that is kept as float32. */
    private ByteBuffer narrow;
    /** Where it goes then. */
    private ByteBuffer destination;

    /**
     * @param memory what this rank can read of the peer's gradients, if they share a host
     * @param readable whether the peer can read this rank's
     */
    SocketLink(DuplexChannel channel, RankExchange exchange, int peer, Optional<PeerMemory> memory, boolean readable) {
        this.memory = memory;
        this.readable = readable;
        this.channel = channel;
        this.exchange = exchange;
        this.peer = peer;
        this.generation = exchange.plan().generation().number();
        this.chunkBytes = exchange.plan().chunkFloats() * Float.BYTES;
        if (exchange.plan().config().wire() == ExchangeConfig.Wire.BF16) {
            this.narrow = ByteBuffer.allocateDirect(Bf16.bytes(exchange.plan().chunkFloats()));
        }
        this.heartbeat = new Heartbeat(
                channel, exchange.rank(), generation, exchange.plan().config(), this::silent);
    }

    /** Takes over the connection from its handshake; on the event loop. */
    void start(FrameDecoder decoder) {
        decoder.become(this, exchange.plan().config().maxFrameBytes());
        heartbeat.start();
    }

    /**
     * A range of a buffer that is sent frame by frame: the position moves.
     *
     * @param narrows whether the data is float32 that the wire has as bf16
     */
    private record Transfer(
            FrameType type,
            long step,
            int index,
            int bucket,
            int offset,
            int frameBytes,
            boolean narrows,
            ByteBuffer data) {}

    // ---- Sending

    @Override
    public void partial(long step, int slot, int bucket, ByteBuffer slice) {
        enqueue(
                readable
                        ? announcement(FrameType.SHARED_PARTIAL, step, slot, bucket, exchange.sharedGradient())
                        : new Transfer(FrameType.PARTIAL, step, slot, bucket, 0, chunkBytes, narrow != null, slice));
    }

    @Override
    public void reduced(long step, int bucket, int chunk, ByteBuffer values, ByteBuffer wire) {
        int offset = chunk * exchange.plan().chunkFloats();
        enqueue(
                readable || exchange.sumIsCommon()
                        ? announcement(FrameType.SHARED_REDUCED, step, exchange.gradientOfSum(bucket), bucket, offset)
                        : new Transfer(
                                FrameType.REDUCED, step, exchange.rank(), bucket, offset, chunkBytes, false, wire));
    }

    /** The peer reads the values where they are: they were written before this frame. */
    private static Transfer announcement(FrameType type, long step, int index, int bucket, int offset) {
        VarHandle.releaseFence();
        return new Transfer(type, step, index, bucket, offset, 0, false, ByteBuffer.allocate(0));
    }

    @Override
    public void ring(FrameType type, long step, Ring.Chunk chunk, ByteBuffer values) {
        int offset = chunk.number() * exchange.plan().chunkFloats();
        enqueue(new Transfer(type, step, chunk.slice(), chunk.bucket(), offset, chunkBytes, narrow != null, values));
    }

    @Override
    public boolean sharesSum() {
        return readable;
    }

    @Override
    public void commonSum(boolean common) {
        enqueue(announcement(FrameType.COMMON_SUM, 0, common ? 1 : 0, 0, 0));
    }

    @Override
    public void scalars(long step, Scalars scalars) {
        int first = exchange.plan().firstMicroBatch(exchange.rank());
        ByteBuffer data = scalars.encode();
        enqueue(new Transfer(FrameType.SCALARS, step, first, 0, 0, data.remaining(), false, data));
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
        boolean urgent = false;
        while (!waiting.isEmpty() && channel.isWritable()) {
            urgent |= waiting.peek().type() != FrameType.SHARED_REDUCED;
            writeFrame(waiting.peek());
            wrote = true;
            if (!waiting.isEmpty() && !waiting.peek().data().hasRemaining()) {
                waiting.remove();
            }
        }
        if (wrote) {
            heartbeat.sent();
        }
        if (urgent || (wrote && ++unflushed >= UNFLUSHED_FRAMES)) {
            flush();
        } else if (wrote && unflushed == 1) {
            // After the additions that are queued, unless more of them make it worth while before.
            channel.eventLoop().execute(this::flush);
        }
    }

    private void flush() {
        unflushed = 0;
        channel.flush();
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
        if (transfer.narrows()) {
            writeNarrow(header, data.slice(start, length));
        } else {
            Frames.write(channel, header, data.slice(start, length));
        }
        data.position(start + length);
    }

    private void writeNarrow(FrameHeader header, ByteBuffer values) {
        int bytes = Bf16.bytes(values.remaining() / Float.BYTES);
        ByteBuf packed = channel.alloc().directBuffer(bytes, bytes).writerIndex(bytes);
        Bf16.encode(values, packed.internalNioBuffer(0, bytes));
        Frames.write(channel, header.withLength(bytes), packed);
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
        return switch (header.type()) {
            case ABORT -> ByteBuffer.allocate(header.length());
            case SHARED_PARTIAL, SHARED_REDUCED -> {
                boolean common = header.type() == FrameType.SHARED_REDUCED && exchange.sumIsCommon();
                if ((memory.isEmpty() && !common) || header.length() > 0) {
                    throw new ExchangeException("corrupt frame: " + header.type() + " with " + header.length()
                            + " bytes" + (memory.isEmpty() ? " but without shared memory" : ""));
                }
                yield ByteBuffer.allocate(0);
            }
            default -> {
                destination = exchange.arrivals().target(peer, header);
                yield destination != null && widens(header) ? narrow.slice(0, header.length()) : destination;
            }
        };
    }

    @Override
    public void frame(FrameHeader header, ByteBuffer payload) {
        if (header.type() == FrameType.ABORT) {
            if (end()) {
                exchange.aborted(peer, Frames.text(payload), header.index());
            }
            Frames.close(channel);
        } else if (header.type() == FrameType.SHARED_PARTIAL) {
            partialReadable(header);
        } else if (header.type() == FrameType.SHARED_REDUCED) {
            VarHandle.acquireFence();
            int chunk = exchange.plan().bucket(header).chunkAt(peer, header);
            if (exchange.sumIsCommon()) {
                exchange.arrivals().finished(peer, header.step(), header.bucket(), chunk);
            } else {
                ByteBuffer values = memory.orElseThrow().reduced(header, chunk);
                exchange.arrivals().reduced(peer, header.step(), header.bucket(), chunk, values);
            }
        } else {
            if (widens(header)) {
                Bf16.decode(payload, destination);
            }
            exchange.arrivals().arrived(peer, header, payload);
        }
    }

    /** Whether a frame's bf16 becomes float32 on arrival: addends of a slice stay packed until they are added. */
    private boolean widens(FrameHeader header) {
        boolean packed = header.type() == FrameType.REDUCED || exchange.plan().ring();
        return narrow != null && packed && header.type() != FrameType.SCALARS;
    }

    /** A task for each chunk, so that frames are read and finished chunks leave while others are added. */
    private void partialReadable(FrameHeader header) {
        VarHandle.acquireFence();
        ByteBuffer slice = memory.orElseThrow().partial(header);
        exchange.arrivals().readable(peer, header.step(), header.index(), header.bucket(), slice);
        if (peer == 0 && header.index() == 0 && exchange.sumIsCommon()) {
            ByteBuffer sum = memory.orElseThrow().gradient(header.offset(), header.bucket());
            exchange.arrivals().commonSum(header.step(), header.bucket(), sum);
        }
        int chunks = exchange.plan().bucket(header).chunks(exchange.rank());
        for (int i = 0; i < chunks; i++) {
            int chunk = i;
            channel.eventLoop().execute(() -> exchange.arrivals()
                    .read(peer, header.step(), header.index(), header.bucket(), chunk));
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
        memory = Optional.empty();
        waiting.clear();
        return first;
    }
}
