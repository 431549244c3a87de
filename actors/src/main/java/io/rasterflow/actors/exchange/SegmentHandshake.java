package io.rasterflow.actors.exchange;

import io.netty.channel.socket.DuplexChannel;
import io.rasterflow.actors.exchange.ExchangeConfig.Transport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Finds out whether two ranks share a host, once each has proved that it knows the secret: each names a file and a random
 * token in it, and each tells whether it could open the other's file and found the token. Host names play no part.
 * Both sides do the same:
 *
 * <pre>
 *   SEGMENT (token, path)  --&gt;      no path: this rank has no shared memory
 *                          &lt;--  SEGMENT (token, path)
 *   MAPPED ()              --&gt;      or a reason why not: then gradients for this rank go over the socket
 *                          &lt;--  MAPPED ()
 *   COMMON_SUM ()          --&gt;      from rank 0, if that could be read, when it has heard from all ranks
 * </pre>
 */
final class SegmentHandshake implements FrameSink {

    private final DuplexChannel channel;
    private final FrameDecoder decoder;
    private final RankExchange exchange;
    private final int peer;
    private Optional<PeerMemory> memory = Optional.empty();
    private boolean mapped;
    private boolean answered;
    private boolean readable;
    private boolean decided;
    private boolean done;

    private SegmentHandshake(DuplexChannel channel, FrameDecoder decoder, RankExchange exchange, int peer) {
        this.channel = channel;
        this.decoder = decoder;
        this.exchange = exchange;
        this.peer = peer;
    }

    /** Both ranks have proved themselves: brings the link up, after this handshake if their run wants shared memory. */
    static void start(DuplexChannel channel, FrameDecoder decoder, RankExchange exchange, int peer) {
        var handshake = new SegmentHandshake(channel, decoder, exchange, peer);
        if (exchange.plan().config().transport() == Transport.TCP) {
            handshake.finish();
        } else {
            decoder.become(handshake, Greeting.MAX_FRAME_BYTES);
            handshake.introduce();
        }
    }

    private void introduce() {
        byte[] path = exchange.segment()
                .map(segment -> segment.file().toString().getBytes(StandardCharsets.UTF_8))
                .orElse(new byte[0]);
        byte[] token = exchange.segment().map(SharedSegment::token).orElse(new byte[SegmentLayout.TOKEN_BYTES]);
        byte[] payload = Arrays.copyOf(token, token.length + path.length);
        System.arraycopy(path, 0, payload, token.length, path.length);
        send(FrameType.SEGMENT, payload);
        exchange.whenNotJoined(() -> channel.eventLoop().execute(() -> {
            if (!done) {
                done = true;
                Frames.close(channel);
            }
        }));
    }

    @Override
    public ByteBuffer target(FrameHeader header) {
        return done ? null : ByteBuffer.allocate(header.length());
    }

    @Override
    public void frame(FrameHeader header, ByteBuffer payload) {
        if (header.type() == FrameType.SEGMENT && !mapped && payload.remaining() >= SegmentLayout.TOKEN_BYTES) {
            mapped = true;
            map(payload);
        } else if (header.type() == FrameType.MAPPED && !answered) {
            answered = true;
            readable = !payload.hasRemaining();
            insist(readable, "rank " + peer + " cannot read this rank's: " + Frames.text(payload));
        } else if (header.type() == FrameType.COMMON_SUM && memory.isPresent() && peer == 0 && !decided) {
            decided = true;
            if (header.index() != 0) {
                exchange.shareSum();
            }
        } else if (header.type() == FrameType.ABORT) {
            throw new ExchangeException(Frames.text(payload));
        } else {
            throw new ExchangeException("a frame of type " + header.type() + " where memory is shared");
        }
        boolean awaitsDecision = peer == 0 && memory.isPresent() && !decided;
        if (mapped && answered && !awaitsDecision && !done) {
            finish();
        }
    }

    private void map(ByteBuffer payload) {
        byte[] token = new byte[SegmentLayout.TOKEN_BYTES];
        payload.get(token);
        String path = Frames.text(payload);
        String reason = "";
        try {
            if (path.isEmpty()) {
                reason = "it has none";
            } else {
                memory = Optional.of(new PeerMemory(Path.of(path), token, exchange.plan(), peer, exchange.rank()));
            }
        } catch (IOException e) {
            reason = e.getMessage();
        }
        send(FrameType.MAPPED, reason.getBytes(StandardCharsets.UTF_8));
        insist(memory.isPresent(), "that of rank " + peer + " cannot be read: " + reason);
    }

    private void insist(boolean shared, String refusal) {
        if (!shared && exchange.plan().config().transport() == Transport.SHM) {
            throw new ExchangeException("no shared memory, which exchange.transport demands: " + refusal);
        }
    }

    private void finish() {
        done = true;
        SocketLink link = new SocketLink(channel, exchange, peer, memory, readable);
        link.start(decoder);
        exchange.linkUp(peer, link);
    }

    @Override
    public void closed(String cause) {
        if (!done) {
            done = true;
            exchange.lost(peer, cause + " during the handshake");
        }
    }

    private void send(FrameType type, byte[] payload) {
        Frames.send(channel, type, exchange.rank(), exchange.plan().generation().number(), payload);
    }
}
