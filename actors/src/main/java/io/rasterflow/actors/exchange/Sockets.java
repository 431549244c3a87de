package io.rasterflow.actors.exchange;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
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
import java.util.function.Consumer;

/** How the connections of a data plane are made: native epoll where present, options, buffers. */
final class Sockets {

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
                        handshake.connected((SocketChannel) attempt.channel());
                    } else {
                        handshake.unreachable(attempt.cause());
                    }
                });
    }

    private WriteBufferWaterMark waterMark() {
        return new WriteBufferWaterMark(chunkBytes, 4 * chunkBytes);
    }
}
