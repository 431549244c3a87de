package io.rasterflow.actors.control;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.rasterflow.actors.Refusals;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens where other nodes connect to, and passes on to Artery, which listens on loopback, what can come from a node.
 * Artery itself believes every length that a frame claims, and gathers so many bytes in memory; of most strangers it says
 * nothing, of some with an error of its own. Here each is refused with one line, and told why.
 */
public final class ControlPort implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ControlPort.class);

    private final String host;
    private final long maxFrameBytes;
    private final long greetingMillis;
    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("rasterflow-control-port", true), NioIoHandler.newFactory());
    private volatile Channel listening;
    private volatile int arteryPort;
    private final Refusals refusals = new Refusals(LOG);

    private ControlPort(String host, long maxFrameBytes, long greetingMillis) {
        this.host = host;
        this.maxFrameBytes = maxFrameBytes;
        this.greetingMillis = greetingMillis;
    }

    /**
     * Listens. Connections are closed until {@link #passTo} is called.
     *
     * @param port 0 takes a free one
     * @param maxFrameBytes of one message, as Artery is configured
     * @param greetingMillis in which a connection must have sent its first five bytes
     * @throws IllegalStateException one line, if that address cannot be listened on
     */
    public static ControlPort listen(String host, int port, long maxFrameBytes, long greetingMillis) {
        ControlPort control = new ControlPort(host, maxFrameBytes, greetingMillis);
        ChannelFuture bound = new ServerBootstrap()
                .group(control.loop)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.AUTO_READ, false)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline()
                                .addLast(new ControlConnection(control, new NodeFrames(control.maxFrameBytes)));
                    }
                })
                .bind(host, port)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            control.close();
            throw new IllegalStateException(
                    "the node cannot listen on " + host + ":" + port + " ("
                            + bound.cause().getMessage()
                            + "); choose another address with cluster.host and cluster.port",
                    bound.cause());
        }
        control.listening = bound.channel();
        return control;
    }

    /** The port that others connect to. */
    public int port() {
        return ((InetSocketAddress) listening.localAddress()).getPort();
    }

    /** From now on nodes are let through to Artery, at that port of the loopback interface. */
    public void passTo(int loopbackPort) {
        arteryPort = loopbackPort;
    }

    int arteryPort() {
        return arteryPort;
    }

    long greetingMillis() {
        return greetingMillis;
    }

    void refused(SocketAddress stranger, String fault) {
        refusals.add(stranger, "the control port " + host + ":" + port(), fault);
    }

    @Override
    public void close() {
        var unused = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
