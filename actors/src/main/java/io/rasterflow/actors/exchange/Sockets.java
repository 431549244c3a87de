package io.rasterflow.actors.exchange;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.bootstrap.AbstractBootstrap;
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
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the connections of a data plane are made: native epoll where present, options, buffers.
 *
 * <p>A connection that stays on this host is not paced: with BBR as the system's congestion control the kernel spaces the
 * segments even there, which doubles the time of an exchange. So every connection begins with Reno, which every Linux has
 * and lets every process choose, and one between hosts goes on with the system's; the other way round the kernel would pace
 * for ever.
 */
final class Sockets {

    private static final Path SYSTEM_CONGESTION = Path.of("/proc/sys/net/ipv4/tcp_congestion_control");
    private static final int MAX_CONGESTION_NAME = 16;

    /** IPPROTO_TCP and TCP_CONGESTION of {@code netinet/in.h} and {@code netinet/tcp.h}. */
    private static final RawUnixChannelOption CONGESTION =
            new RawUnixChannelOption("TCP_CONGESTION", 6, 13, MAX_CONGESTION_NAME);

    private static final Logger LOG = LoggerFactory.getLogger(Sockets.class);

    private final EventLoops loops;
    private final int chunkBytes;
    private final Optional<String> systemCongestion;

    Sockets(EventLoops loops, ExchangeConfig config) {
        this.loops = loops;
        this.chunkBytes = config.chunkBytes();
        this.systemCongestion = Epoll.isAvailable() ? systemCongestion() : Optional.empty();
    }

    private static Optional<String> systemCongestion() {
        try {
            return Optional.of(Files.readString(SYSTEM_CONGESTION).strip());
        } catch (IOException e) {
            LOG.debug("the system's congestion control is not known, so it stays: {}", e.toString());
            return Optional.empty();
        }
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
                        connected(channel);
                        greet.accept(channel);
                    }
                });
        unpaced(bootstrap);
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
        Bootstrap bootstrap = new Bootstrap()
                .group(loops.group())
                .channel(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
                .option(ChannelOption.AUTO_CLOSE, false)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timeoutMillis)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark())
                .handler(handshake.newDecoder());
        unpaced(bootstrap);
        bootstrap.connect(address.host(), address.port()).addListener((ChannelFuture attempt) -> {
            if (attempt.isSuccess()) {
                connected((SocketChannel) attempt.channel());
                handshake.connected((SocketChannel) attempt.channel());
            } else {
                handshake.unreachable(attempt.cause());
            }
        });
    }

    /** Takes the pace off, before a socket is connected. */
    private void unpaced(AbstractBootstrap<?, ?> bootstrap) {
        if (systemCongestion.isPresent()) {
            bootstrap.option(CONGESTION, congestion("reno"));
        }
    }

    private static ByteBuffer congestion(String name) {
        return ByteBuffer.wrap(Arrays.copyOf(name.getBytes(US_ASCII), MAX_CONGESTION_NAME));
    }

    /** Gives a connection that leaves this host the system's congestion control back. */
    private void connected(SocketChannel channel) {
        InetSocketAddress local = channel.localAddress();
        InetSocketAddress remote = channel.remoteAddress();
        boolean leavesHost =
                local != null && remote != null && !local.getAddress().equals(remote.getAddress());
        if (leavesHost && systemCongestion.isPresent()) {
            try {
                channel.config().setOption(CONGESTION, congestion(systemCongestion.get()));
            } catch (ChannelException e) {
                LOG.debug(
                        "the connection with {} keeps Reno instead of {}: {}",
                        remote,
                        systemCongestion.get(),
                        e.getMessage());
            }
        }
    }

    private WriteBufferWaterMark waterMark() {
        return new WriteBufferWaterMark(chunkBytes, 4 * chunkBytes);
    }
}
