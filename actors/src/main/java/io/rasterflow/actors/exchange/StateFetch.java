package io.rasterflow.actors.exchange;

import io.netty.channel.socket.DuplexChannel;
import io.rasterflow.actors.exchange.ConnectorHandshake.Refusal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Takes a replica's state from a peer, straight into blocks of the lengths that the caller expects: nothing that a peer
 * says decides how much memory is taken. Memory is taken for many blocks at a time, for the kernel gives a large piece in
 * huge pages, but only when their first bytes come, so that the peer copies its state meanwhile. On the event loop.
 */
final class StateFetch implements FrameSink, ConnectorHandshake.Caller {

    /** Of one piece of memory, unless a block is longer. */
    private static final long PIECE_BYTES = 1 << 26;

    private final DataAddress peer;
    private final ExchangeConfig config;
    private final List<Long> blockBytes;
    private final long totalBytes;
    private final List<ByteBuffer> blocks = new ArrayList<>();
    private final CompletableFuture<PeerState> result = new CompletableFuture<>();
    private volatile DuplexChannel channel;
    /** Memory of the next blocks: its position is where they begin. */
    private ByteBuffer piece = ByteBuffer.allocate(0);

    private Heartbeat heartbeat;
    private byte[] header;
    /** Bytes of the last block that are there. */
    private long filled;

    /** @throws IllegalArgumentException if a block is negative or does not fit one buffer (2 GiB) */
    StateFetch(DataAddress peer, List<Long> blockBytes, ExchangeConfig config) {
        this.peer = peer;
        this.config = config;
        for (long bytes : blockBytes) {
            if (bytes < 0 || bytes > Integer.MAX_VALUE - Long.BYTES) {
                throw new IllegalArgumentException("a block of " + bytes + " bytes");
            }
        }
        this.blockBytes = List.copyOf(blockBytes);
        this.totalBytes = blockBytes.stream().mapToLong(Long::longValue).sum();
    }

    CompletionStage<PeerState> result() {
        return result;
    }

    @Override
    public void welcome(DuplexChannel newChannel, FrameDecoder decoder) {
        channel = newChannel;
        heartbeat = new Heartbeat(channel, 0, 0, config, this::fail);
        heartbeat.start();
        decoder.become(this, Math.max(config.maxFrameBytes(), PeerState.MAX_HEADER_BYTES + FrameHeader.BYTES));
    }

    /** Whether the peer has not even proved itself yet. */
    boolean isWaiting() {
        return channel == null;
    }

    @Override
    public void failed(Refusal kind, String cause) {
        fail(cause);
    }

    @Override
    public void heard() {
        heartbeat.heard();
    }

    @Override
    public ByteBuffer target(FrameHeader frame) {
        if (result.isDone()) {
            return null;
        }
        switch (frame.type()) {
            case PING:
                return null;
            case REFUSE, STATE_END:
                return ByteBuffer.allocate(frame.length());
            case STATE_HEADER:
                if (header != null || frame.length() > PeerState.MAX_HEADER_BYTES) {
                    throw new ExchangeException("corrupt frame: a state's header that is out of place");
                }
                if (frame.index() != blockBytes.size() || frame.step() != totalBytes) {
                    throw new ExchangeException("it has " + frame.index() + " blocks of " + frame.step()
                            + " bytes together, expected are " + blockBytes.size() + " of " + totalBytes);
                }
                return ByteBuffer.allocate(frame.length());
            case STATE:
                try {
                    return place(frame);
                } catch (OutOfMemoryError e) {
                    end(e);
                    return null;
                }
            default:
                throw new ExchangeException("a frame of type " + frame.type() + " in a state");
        }
    }

    /** Blocks come in order, and so do their bytes. */
    private ByteBuffer place(FrameHeader frame) {
        if (header == null || !nextBlock()) {
            return misplaced(frame);
        }
        ByteBuffer block = blocks.get(blocks.size() - 1);
        if (frame.index() != blocks.size() - 1
                || frame.step() != filled
                || frame.length() > block.capacity() - filled) {
            return misplaced(frame);
        }
        return block.slice((int) filled, frame.length());
    }

    private ByteBuffer misplaced(FrameHeader frame) {
        throw new ExchangeException("corrupt state: " + frame.length() + " bytes at " + frame.step() + " of block "
                + frame.index() + ", next is byte " + filled + " of block " + Math.max(0, blocks.size() - 1));
    }

    /** Makes blocks up to the next one that is not full; whether there is one. */
    private boolean nextBlock() {
        while (blocks.isEmpty() || filled == blocks.get(blocks.size() - 1).capacity()) {
            if (blocks.size() == blockBytes.size()) {
                return false;
            }
            int bytes = blockBytes.get(blocks.size()).intValue();
            if (piece.remaining() < bytes) {
                piece = ByteBuffer.allocateDirect(pieceBytes(blocks.size()));
            }
            blocks.add(piece.slice(piece.position(), bytes).order(ByteOrder.LITTLE_ENDIAN));
            piece.position(piece.position() + bytes);
            filled = 0;
        }
        return true;
    }

    /** As many blocks from this one on as fit. */
    private int pieceBytes(int block) {
        long bytes = blockBytes.get(block);
        for (int next = block + 1; next < blockBytes.size() && bytes + blockBytes.get(next) <= PIECE_BYTES; next++) {
            bytes += blockBytes.get(next);
        }
        return (int) bytes;
    }

    @Override
    public void frame(FrameHeader frame, ByteBuffer payload) {
        switch (frame.type()) {
            case REFUSE -> fail("refused: " + Frames.text(payload));
            case STATE_HEADER -> header = payload.array();
            case STATE -> filled += frame.length();
            default -> finish();
        }
    }

    private void finish() {
        if (header == null || nextBlock()) {
            throw new ExchangeException(
                    "corrupt state: it ends at byte " + filled + " of block " + Math.max(0, blocks.size() - 1));
        }
        close();
        result.complete(new PeerState(header, blocks));
    }

    @Override
    public void closed(String cause) {
        fail(cause);
    }

    /** Ends the fetch; any thread. */
    void fail(String cause) {
        end(new ExchangeException(
                "cannot take the state of " + peer.host() + ":" + peer.port() + " (" + cause + ")", peer));
    }

    private void end(Throwable cause) {
        if (result.completeExceptionally(cause) && channel != null) {
            channel.eventLoop().execute(this::close);
        }
    }

    private void close() {
        heartbeat.stop();
        Frames.close(channel);
    }
}
