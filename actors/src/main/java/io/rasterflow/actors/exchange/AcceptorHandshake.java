package io.rasterflow.actors.exchange;

import io.netty.channel.socket.DuplexChannel;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * The accepting side of a new connection until it is somebody's; see {@link Greeting}. A peer that joins a generation before
 * the local rank does waits here, silent, so no gradient can come before there is room for it. On the event loop.
 */
final class AcceptorHandshake implements FrameSink {

    /** Where connections go from here. */
    interface Desk {

        String secret();

        ExchangeConfig exchanges();

        /** A peer has proved that it knows the secret; {@link #admit} or {@link #refuse} follows. */
        void proved(AcceptorHandshake handshake, Hello hello);

        /** Another process has; {@link #welcome} or {@link #refuse} follows. */
        void visited(AcceptorHandshake handshake, Visit visit);

        /** The connection of somebody was turned away. */
        void refused(SocketAddress stranger, String reason);

        /** The connection is no longer a stranger's, or it is gone. */
        void settled(AcceptorHandshake handshake);
    }

    private final Desk desk;
    private final DuplexChannel channel;
    private final FrameDecoder decoder;
    private final byte[] nonce = Greeting.newNonce();
    private Greeting greeting;
    private ScheduledFuture<?> deadline;
    private boolean proved;
    private boolean done;

    AcceptorHandshake(Desk desk, DuplexChannel channel) {
        this.desk = desk;
        this.channel = channel;
        this.decoder = new FrameDecoder(this, Greeting.MAX_FRAME_BYTES);
    }

    /** Installs the decoder and starts the deadline. */
    void start() {
        channel.pipeline().addLast(decoder);
        long millis = desk.exchanges().connectMillis();
        deadline = channel.eventLoop()
                .schedule(
                        () -> refuse(proved ? "the rank has not joined the generation in time" : "no proof in time"),
                        millis,
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public ByteBuffer target(FrameHeader header) {
        return done ? null : ByteBuffer.allocate(header.length());
    }

    @Override
    public void frame(FrameHeader header, ByteBuffer payload) {
        if (greeting == null) {
            greeting = greeting(header, payload);
            Frames.send(channel, FrameType.CHALLENGE, 0, greeting.generation(), nonce);
        } else if (header.type() == FrameType.PROOF && !proved) {
            if (!MessageDigest.isEqual(payload.array(), greeting.proof(Greeting.CONNECTOR, nonce, desk.secret()))) {
                refuse("wrong exchange.secret");
                return;
            }
            proved = true;
            if (greeting instanceof Hello hello) {
                desk.proved(this, hello);
            } else {
                desk.visited(this, (Visit) greeting);
            }
        } else {
            throw new ExchangeException("a frame of type " + header.type() + " during the handshake");
        }
    }

    private static Greeting greeting(FrameHeader header, ByteBuffer payload) {
        return switch (header.type()) {
            case HELLO -> Hello.decode(payload);
            case CONFIRM, FETCH -> Visit.decode(header.type(), payload);
            default -> throw new ExchangeException("a frame of type " + header.type() + " is no greeting");
        };
    }

    /** The local rank has joined the peer's generation. */
    void admit(RankExchange exchange) {
        channel.eventLoop().execute(() -> {
            if (done) {
                return;
            }
            Hello hello = (Hello) greeting;
            String contradiction = hello.contradiction(exchange.plan());
            if (!contradiction.isEmpty()) {
                refuse(contradiction);
                exchange.fail(new ExchangeException(contradiction));
                return;
            }
            welcome(hello.to());
            SegmentHandshake.start(channel, decoder, exchange, hello.from());
        });
    }

    /** Tells the visitor that it is welcome; on the event loop. */
    void welcome(int rank) {
        settle();
        byte[] proof = greeting.proof(Greeting.ACCEPTOR, nonce, desk.secret());
        Frames.send(channel, FrameType.WELCOME, rank, greeting.generation(), proof);
    }

    DuplexChannel channel() {
        return channel;
    }

    FrameDecoder decoder() {
        return decoder;
    }

    /** Ends the connection with a line in the log and, to the peer, the reason; any thread. */
    void refuse(String reason) {
        if (!channel.eventLoop().inEventLoop()) {
            channel.eventLoop().execute(() -> refuse(reason));
        } else if (!done) {
            desk.refused(channel.remoteAddress(), reason);
            settle();
            Frames.farewell(channel, FrameType.REFUSE, 0, greeting == null ? 0 : greeting.generation(), 0, reason);
        }
    }

    @Override
    public void closed(String cause) {
        if (!done) {
            desk.refused(channel.remoteAddress(), cause);
            settle();
        }
    }

    private void settle() {
        done = true;
        deadline.cancel(false);
        desk.settled(this);
    }
}
