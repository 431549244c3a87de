package io.rasterflow.actors.exchange;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.RawUnixChannelOption;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the connections of a data plane are made: native epoll where present, options, buffers.
 *
 * <p>A connection that stays on this host is not paced: with BBR as the system's congestion control the kernel sends even
 * there no faster than it believes that the way carries, which halves the exchange. Reno, which every Linux has and lets
 * every process choose, sends what the receiver has room for. Between hosts the system's choice holds.
 */
final class Sockets {

    /** Of {@code netinet/in.h} and {@code netinet/tcp.h}: a name of up to 16 bytes. */
    private static final RawUnixChannelOption CONGESTION = new RawUnixChannelOption("TCP_CONGESTION", 6, 13, 16);

    private static final byte[] UNPACED = Arrays.copyOf("reno".getBytes(US_ASCII), 16);

    private static final Logger LOG = LoggerFactory.getLogger(Sockets.class);

    private final EventLoops loops;
    private final int chunkBytes;

    Sockets(EventLoops loops, ExchangeConfig config) {
        this.loops = loops;
        this.chunkBytes = config.chunkBytes();
    }

    /**
     * Listens; every connection is greeted on its event loop.
     *
     * @throws ExchangeException if that address cannot be listened on
     */
    Channel listen(DataPlaneConfig config, Consumer<SocketChannel> greet) {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops.group())
                .channel(Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.AUTO_CLOSE, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark())
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        unpaceOnOneHost(channel);
                        greet.accept(channel);
                    }
                });
        ChannelFuture bound = bootstrap.bind(config.host(), config.port()).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new ExchangeException(
                    "cannot listen on " + config.host() + ":" + config.port() + " ("
                            + bound.cause().getMessage()
                            + "): choose another exchange.port, or 0 for any free one, and a host name of this machine",
                    bound.cause());
        }
        return bound.channel();
    }

    /** Connects; the handshake is told on the event loop whether that worked. */
    void connect(DataAddress address, ConnectorHandshake handshake, int timeoutMillis) {
        new Bootstrap()
                .group(loops.group())
                .channel(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
                .option(ChannelOption.AUTO_CLOSE, false)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timeoutMillis)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark())
                .handler(handshake.newDecoder())
                .connect(address.host(), address.port())
                .addListener((ChannelFuture attempt) -> {
                    if (attempt.isSuccess()) {
                        unpaceOnOneHost((SocketChannel) attempt.channel());
                        handshake.connected((SocketChannel) attempt.channel());
                    } else {
                        handshake.unreachable(attempt.cause());
                    }
                });
    }

    private static void unpaceOnOneHost(SocketChannel channel) {
        InetSocketAddress local = channel.localAddress();
        InetSocketAddress remote = channel.remoteAddress();
        if (channel instanceof EpollSocketChannel
                && local != null
                && remote != null
                && local.getAddress().equals(remote.getAddress())) {
            try {
                channel.config().setOption(CONGESTION, ByteBuffer.wrap(UNPACED));
            } catch (ChannelException e) {
                LOG.debug("a connection on this host keeps the system's congestion control: {}", e.getMessage());
            }
        }
    }

    private WriteBufferWaterMark waterMark() {
        return new WriteBufferWaterMark(chunkBytes, 4 * chunkBytes);
    }
}
