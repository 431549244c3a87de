package io.rasterflow.actors.exchange;

import io.netty.channel.socket.DuplexChannel;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;

/** The connecting side of a new connection until both sides have proved themselves; see {@link Greeting}. On the event loop. */
final class ConnectorHandshake implements FrameSink {

    /** Who wants the connection. */
    interface Caller {

        /** The other side has proved itself; it is the caller's turn to install a sink. */
        void welcome(DuplexChannel channel, FrameDecoder decoder);

        /** There will be no connection; called once at most, and not after {@link #welcome}. */
        void failed(Refusal kind, String cause);
    }

    /** Why there is no connection. */
    enum Refusal {
        /** Nobody listens at that address. */
        NOBODY,
        /** Somebody has answered who will not have this connection, or who is not the one that is meant. */
        ANSWERED,
        /** The network did not carry it, or the other side closed without a word. */
        BROKEN
    }

    private final Greeting greeting;
    private final int rank;
    private final String secret;
    private final Caller caller;
    private FrameDecoder decoder;
    private byte[] acceptorNonce;
    private volatile DuplexChannel channel;
    private volatile boolean done;

    /** @param rank that the frames name as their sender */
    ConnectorHandshake(Greeting greeting, int rank, String secret, Caller caller) {
        this.greeting = greeting;
        this.rank = rank;
        this.secret = secret;
        this.caller = caller;
    }

    FrameDecoder newDecoder() {
        decoder = new FrameDecoder(this, Greeting.MAX_FRAME_BYTES);
        return decoder;
    }

    /** The connection stands. */
    void connected(DuplexChannel newChannel) {
        channel = newChannel;
        if (done) {
            Frames.close(channel);
        } else {
            send(greeting.type(), greeting.encode());
        }
    }

    /** There is none. */
    void unreachable(Throwable cause) {
        boolean refused = cause instanceof ConnectException
                && String.valueOf(cause.getMessage()).contains("refused");
        fail(refused ? Refusal.NOBODY : Refusal.BROKEN, cause.getMessage());
    }

    /** Nobody waits for the connection any more, unless it has been welcomed already; any thread. */
    void abandon() {
        if (!done) {
            done = true;
            DuplexChannel connected = channel;
            if (connected != null) {
                Frames.close(connected);
            }
        }
    }

    @Override
    public ByteBuffer target(FrameHeader header) {
        return ByteBuffer.allocate(header.length());
    }

    @Override
    public void frame(FrameHeader header, ByteBuffer payload) {
        byte[] content = payload.array();
        switch (header.type()) {
            case CHALLENGE:
                if (acceptorNonce != null || content.length != Greeting.NONCE_BYTES) {
                    throw new ExchangeException("an unexpected challenge");
                }
                acceptorNonce = content;
                send(FrameType.PROOF, greeting.proof(Greeting.CONNECTOR, content, secret));
                break;
            case WELCOME:
                if (acceptorNonce == null
                        || !MessageDigest.isEqual(content, greeting.proof(Greeting.ACCEPTOR, acceptorNonce, secret))) {
                    throw new ExchangeException("it does not know exchange.secret");
                }
                if (!done) {
                    done = true;
                    caller.welcome(channel, decoder);
                }
                break;
            case REFUSE:
                throw new ExchangeException("refused: " + Frames.text(payload));
            default:
                throw new ExchangeException("a frame of type " + header.type());
        }
    }

    @Override
    public void rejected(String cause) {
        fail(Refusal.ANSWERED, cause + " during the handshake");
    }

    @Override
    public void closed(String cause) {
        fail(Refusal.BROKEN, cause + " during the handshake");
    }

    private void fail(Refusal kind, String cause) {
        if (!done) {
            done = true;
            caller.failed(kind, cause);
        }
    }

    private void send(FrameType type, byte[] payload) {
        Frames.send(channel, type, rank, greeting.generation(), payload);
    }
}
