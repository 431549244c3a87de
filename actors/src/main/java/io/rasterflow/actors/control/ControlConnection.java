package io.rasterflow.actors.control;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * One connection to the control port: refused, or passed on to Artery from its stream header on. A read follows a write that
 * is done, so nothing piles up here. Confined to its event loop.
 */
final class ControlConnection extends ChannelInboundHandlerAdapter {

    /** A refused stranger is listened to for so long that it may hear why. */
    private static final long FAREWELL_MILLIS = 300;

    private final ControlPort port;
    private final NodeFrames frames;
    private final Queue<ByteBuf> early = new ArrayDeque<>();
    private ScheduledFuture<?> deadline;
    private Channel artery;
    private boolean refused;

    ControlConnection(ControlPort port, NodeFrames frames) {
        this.port = port;
        this.frames = frames;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        deadline = context.executor()
                .schedule(
                        () -> refuse(
                                context, "it has not said within " + port.greetingMillis() + " ms that it is a node's"),
                        port.greetingMillis(),
                        TimeUnit.MILLISECONDS);
        context.read();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        String fault = refused ? "" : frames.check(bytes);
        if (refused || !fault.isEmpty()) {
            bytes.release();
            if (!refused) {
                refuse(context, fault);
            }
            context.read();
        } else if (artery != null) {
            pass(context, bytes);
        } else {
            early.add(bytes);
            if (frames.greeted()) {
                deadline.cancel(false);
                connect(context);
            } else {
                context.read();
            }
        }
    }

    private void connect(ChannelHandlerContext context) {
        new Bootstrap()
                .group(context.channel().eventLoop())
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .handler(new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext inner, Object nothing) {
                        ((ByteBuf) nothing).release(); // Artery answers by connections of its own.
                    }

                    @Override
                    public void channelInactive(ChannelHandlerContext inner) {
                        close(context.channel());
                    }

                    @Override
                    public void exceptionCaught(ChannelHandlerContext inner, Throwable cause) {
                        close(inner.channel());
                    }
                })
                .connect(InetAddress.getLoopbackAddress(), port.arteryPort())
                .addListener((ChannelFuture attempt) -> {
                    if (!attempt.isSuccess() || !context.channel().isActive()) {
                        close(attempt.channel());
                        close(context.channel());
                        return;
                    }
                    artery = attempt.channel();
                    ByteBuf all = Unpooled.wrappedBuffer(early.toArray(ByteBuf[]::new));
                    early.clear();
                    pass(context, all);
                });
    }

    private void pass(ChannelHandlerContext context, ByteBuf bytes) {
        artery.writeAndFlush(bytes).addListener(written -> {
            if (written.isSuccess()) {
                context.read();
            } else {
                close(context.channel());
            }
        });
    }

    private void refuse(ChannelHandlerContext context, String fault) {
        refused = true;
        port.refused(context.channel().remoteAddress(), fault);
        if (artery != null) {
            artery.config()
                    .setOption(ChannelOption.SO_LINGER, 0); // A reset: an end within a message is an error to it.
            close(artery);
        }
        String line = "refused: this is the control port of a Rasterflow node, and " + fault + "\n";
        context.writeAndFlush(Unpooled.copiedBuffer(line, StandardCharsets.UTF_8))
                .addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        deadline.cancel(false);
        deadline = context.executor().schedule(() -> close(context.channel()), FAREWELL_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (deadline != null) {
            deadline.cancel(false);
        }
        if (!refused && frames.begun() && !frames.greeted()) {
            port.refused(context.channel().remoteAddress(), "it ended before it had said that it is a node's");
        }
        early.forEach(ByteBuf::release);
        early.clear();
        if (artery != null) {
            artery.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
    }

    /** Closes without waiting; there is nothing to do about a close that fails. */
    private static void close(Channel channel) {
        var unused = channel.close();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        close(context.channel());
    }
}
