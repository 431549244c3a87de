package io.rasterflow.actors.exchange;

import io.netty.channel.socket.DuplexChannel;
import java.nio.ByteBuffer;
import java.security.MessageDigest;

/** The connecting side of a new connection until the link is up; see {@link Hello}. On the event loop. */
final class ConnectorHandshake implements FrameSink {

    private final RankExchange exchange;
    private final int peer;
    private final String secret;
    private final int maxFrameBytes;
    private final Hello hello;
    private FrameDecoder decoder;
    private DuplexChannel channel;
    private byte[] acceptorNonce;
    private boolean done;

    ConnectorHandshake(RankExchange exchange, int peer, String secret, int maxFrameBytes) {
        this.exchange = exchange;
        this.peer = peer;
        this.secret = secret;
        this.maxFrameBytes = maxFrameBytes;
        this.hello = Hello.of(exchange.plan(), exchange.rank(), peer);
    }

    FrameDecoder newDecoder() {
        decoder = new FrameDecoder(this, Hello.MAX_FRAME_BYTES);
        return decoder;
    }

    /** The connection stands; gives it up as soon as the exchange fails. */
    void connected(DuplexChannel newChannel) {
        channel = newChannel;
        send(FrameType.HELLO, hello.encode());
        exchange.whenNotJoined(() -> channel.eventLoop().execute(() -> {
            if (!done) {
                done = true;
                Frames.close(channel);
            }
        }));
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
                if (acceptorNonce != null || content.length != Hello.NONCE_BYTES) {
                    throw new ExchangeException("an unexpected challenge");
                }
                acceptorNonce = content;
                send(FrameType.PROOF, hello.proof(Hello.CONNECTOR, content, secret));
                break;
            case WELCOME:
                if (acceptorNonce == null
                        || !MessageDigest.isEqual(content, hello.proof(Hello.ACCEPTOR, acceptorNonce, secret))) {
                    throw new ExchangeException("it does not know exchange.secret");
                }
                done = true;
                SocketLink link = new SocketLink(channel, exchange, peer);
                decoder.become(link, maxFrameBytes);
                exchange.linkUp(peer, link);
                break;
            case REFUSE:
                throw new ExchangeException("refused: " + Frames.text(payload));
            default:
                throw new ExchangeException("a frame of type " + header.type());
        }
    }

    @Override
    public void closed(String cause) {
        if (!done) {
            done = true;
            exchange.lost(peer, cause + " during the handshake");
        }
    }

    private void send(FrameType type, byte[] payload) {
        Frames.send(channel, type, exchange.rank(), hello.generation(), payload);
    }
}
