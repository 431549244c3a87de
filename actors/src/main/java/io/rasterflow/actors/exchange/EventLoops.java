package io.rasterflow.actors.exchange;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The event loops of one data plane. Netty calls a loop terminated shortly before its thread ends: closing waits for the threads. */
final class EventLoops implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(EventLoops.class);
    private static final long SHUTDOWN_SECONDS = 5;

    private final List<Thread> threads = new CopyOnWriteArrayList<>();
    private final EventLoopGroup group;

    /** One thread for four cores. */
    EventLoops() {
        int count = Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors() / 4));
        var named = new DefaultThreadFactory("rasterflow-exchange", true);
        this.group = new MultiThreadIoEventLoopGroup(
                count,
                task -> {
                    Thread thread = named.newThread(task);
                    threads.add(thread);
                    return thread;
                },
                Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    }

    EventLoopGroup group() {
        return group;
    }

    @Override
    public void close() {
        boolean ended = group.shutdownGracefully(0, SHUTDOWN_SECONDS, TimeUnit.SECONDS)
                .awaitUninterruptibly(SHUTDOWN_SECONDS + 1, TimeUnit.SECONDS);
        if (!ended || !join()) {
            LOG.warn("event loops of the data plane did not stop within {} s", SHUTDOWN_SECONDS);
        }
    }

    private boolean join() {
        boolean interrupted = false;
        for (Thread thread : threads) {
            try {
                thread.join(TimeUnit.SECONDS.toMillis(1));
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return threads.stream().noneMatch(Thread::isAlive);
    }
}
