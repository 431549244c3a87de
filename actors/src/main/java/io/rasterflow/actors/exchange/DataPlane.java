package io.rasterflow.actors.exchange;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
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
import java.net.InetSocketAddress;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This process's end of all gradient exchanges: one listening port, one small group of event loops, and one
 * {@link Exchange} per local rank of a generation. Lower ranks connect to higher ones; ranks of this process reach each
 * other's memory directly. One per JVM.
 */
public final class DataPlane implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(DataPlane.class);
    private static final int MAX_STRANGERS = 64;
    private static final int MAX_WORLD_SIZE = 65_535;

    private final DataPlaneConfig config;
    private final ExchangeConfig exchanges;
    private final String processId = UUID.randomUUID().toString();
    private final EventLoops loops;
    private final Channel server;
    private final AcceptorHandshake.Desk desk = new FrontDesk();

    // Guarded by this.
    private final Map<Seat, RankExchange> seated = new HashMap<>();
    private final Map<AcceptorHandshake, Hello> waiting = new HashMap<>();
    private final Set<AcceptorHandshake> strangers = new HashSet<>();
    private long lastEnded = Long.MIN_VALUE;
    private boolean closed;

    private record Seat(long generation, int rank) {}

    private DataPlane(DataPlaneConfig config, ExchangeConfig exchanges, EventLoops loops) {
        this.config = config;
        this.exchanges = exchanges;
        this.loops = loops;
        this.server = listen();
    }

    /**
     * Listens on {@code config.host()} and {@code config.port()}.
     *
     * @throws ExchangeException if that address cannot be listened on
     */
    public static DataPlane bind(DataPlaneConfig config, ExchangeConfig exchanges) {
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            throw new ExchangeException("gradients travel as little-endian floats; this processor is big-endian");
        }
        EventLoops loops = new EventLoops();
        try {
            return new DataPlane(config, exchanges, loops);
        } catch (RuntimeException e) {
            loops.close();
            throw e;
        }
    }

    private Channel listen() {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops.group())
                .channel(Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.AUTO_CLOSE, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark())
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, receiveBuffers())
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        greet(channel);
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

    private WriteBufferWaterMark waterMark() {
        return new WriteBufferWaterMark(exchanges.chunkBytes(), 4 * exchanges.chunkBytes());
    }

    private AdaptiveRecvByteBufAllocator receiveBuffers() {
        int largest = Math.max(exchanges.chunkBytes(), 1 << 16);
        return new AdaptiveRecvByteBufAllocator(1 << 10, 1 << 16, largest);
    }

    /** The address under which other ranks reach the given replica of this process. */
    public DataAddress address(int replica) {
        return new DataAddress(
                processId, config.host(), ((InetSocketAddress) server.localAddress()).getPort(), replica);
    }

    /**
     * Joins a generation as one of its ranks. Completes when all peers have joined, too; fails with
     * {@link ExchangeException} when one cannot be reached, disagrees about the generation or does not join in time. When
     * a rank of this process has left or lost a generation, that one and all before it are over: numbers only rise.
     *
     * @param bucketFloats length F_b of every bucket of the gradient, the same on all ranks
     * @throws IllegalArgumentException if the rank is not one of this process, a bucket is empty or beyond 2 GiB, or the
     *     generation too large
     */
    public CompletionStage<Exchange> join(Generation generation, int rank, List<Integer> bucketFloats) {
        requireOurs(generation, rank, bucketFloats);
        ReductionPlan plan = new ReductionPlan(generation, bucketFloats, exchanges);
        RankExchange exchange = new RankExchange(plan, rank, this::ended);
        List<RankExchange> neighbours = new ArrayList<>();
        List<AcceptorHandshake> visitors = new ArrayList<>();
        synchronized (this) {
            if (closed) {
                return CompletableFuture.failedFuture(new ExchangeException("the data plane is closed"));
            }
            if (generation.number() <= lastEnded) {
                return CompletableFuture.failedFuture(
                        new ExchangeException("generation " + generation.number() + " is over"));
            }
            if (seated.putIfAbsent(new Seat(generation.number(), rank), exchange) != null) {
                throw new IllegalStateException(
                        "rank " + rank + " has joined generation " + generation.number() + " already");
            }
            seated.values().stream()
                    .filter(other ->
                            other != exchange && other.plan().generation().number() == generation.number())
                    .forEach(neighbours::add);
            takeWaiting(generation.number(), rank, visitors);
        }
        startDeadline(exchange);
        neighbours.forEach(neighbour -> introduce(exchange, neighbour));
        for (int peer = rank + 1; peer < plan.worldSize(); peer++) {
            if (!exchange.isLocal(peer)) {
                connect(exchange, peer);
            }
        }
        visitors.forEach(visitor -> visitor.admit(exchange));
        return exchange.joined();
    }

    private void requireOurs(Generation generation, int rank, List<Integer> bucketFloats) {
        if (rank < 0 || rank >= generation.worldSize() || generation.worldSize() > MAX_WORLD_SIZE) {
            throw new IllegalArgumentException(
                    "rank " + rank + " of " + generation.worldSize() + " ranks (at most " + MAX_WORLD_SIZE + ")");
        }
        if (!generation.members().get(rank).processId().equals(processId)) {
            throw new IllegalArgumentException(
                    "rank " + rank + " is " + generation.members().get(rank) + ", not of process " + processId);
        }
        if (bucketFloats.isEmpty() || bucketFloats.stream().anyMatch(floats -> floats < 1)) {
            throw new IllegalArgumentException("a gradient with buckets of " + bucketFloats + " floats");
        }
        long longestRun = (generation.microBatches() + generation.worldSize() - 1L) / generation.worldSize();
        if (Scalars.bytes((int) longestRun) + FrameHeader.BYTES > exchanges.maxFrameBytes()) {
            throw new IllegalArgumentException(longestRun + " micro-batches per rank do not fit exchange.maxFrameBytes "
                    + exchanges.maxFrameBytes());
        }
    }

    /** Under the lock: moves the connections that wait for this rank. */
    private void takeWaiting(long generation, int rank, List<AcceptorHandshake> visitors) {
        for (Iterator<Map.Entry<AcceptorHandshake, Hello>> it =
                        waiting.entrySet().iterator();
                it.hasNext(); ) {
            Map.Entry<AcceptorHandshake, Hello> entry = it.next();
            if (entry.getValue().generation() == generation && entry.getValue().to() == rank) {
                visitors.add(entry.getKey());
                it.remove();
            }
        }
    }

    private void startDeadline(RankExchange exchange) {
        long limit = exchanges.connectMillis();
        var deadline = loops.group().next().schedule(() -> exchange.joinTimedOut(limit), limit, TimeUnit.MILLISECONDS);
        var unused = exchange.joined().whenComplete((joined, failure) -> deadline.cancel(false));
    }

    /** Two ranks of this process. */
    private static void introduce(RankExchange one, RankExchange other) {
        if (!one.plan().generation().equals(other.plan().generation())
                || !one.plan().bucketFloats().equals(other.plan().bucketFloats())) {
            ExchangeException cause = new ExchangeException(
                    "ranks " + one.rank() + " and " + other.rank() + " of this process disagree about generation "
                            + one.plan().generation().number() + " or the gradient's buckets");
            one.fail(cause);
            other.fail(cause);
            return;
        }
        other.linkUp(one.rank(), new LocalLink(one, other.rank()));
        one.linkUp(other.rank(), new LocalLink(other, one.rank()));
    }

    private void connect(RankExchange exchange, int peer) {
        DataAddress address = exchange.plan().generation().members().get(peer);
        ConnectorHandshake handshake =
                new ConnectorHandshake(exchange, peer, config.secret(), exchanges.maxFrameBytes());
        new Bootstrap()
                .group(loops.group())
                .channel(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
                .option(ChannelOption.AUTO_CLOSE, false)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, exchanges.connectMillis())
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark())
                .option(ChannelOption.RECVBUF_ALLOCATOR, receiveBuffers())
                .handler(handshake.newDecoder())
                .connect(address.host(), address.port())
                .addListener((ChannelFuture attempt) -> {
                    if (attempt.isSuccess()) {
                        handshake.connected((SocketChannel) attempt.channel());
                    } else {
                        handshake.closed(attempt.cause().getMessage());
                    }
                });
    }

    /** A connection from outside. */
    private void greet(SocketChannel channel) {
        AcceptorHandshake handshake = new AcceptorHandshake(desk, channel);
        boolean crowded;
        synchronized (this) {
            crowded = closed || strangers.size() >= MAX_STRANGERS;
            if (!crowded) {
                strangers.add(handshake);
            }
        }
        if (crowded) {
            LOG.warn(
                    "refused connection from {}: {} others are still unproved", channel.remoteAddress(), MAX_STRANGERS);
            Frames.close(channel);
        } else {
            handshake.start();
        }
    }

    private final class FrontDesk implements AcceptorHandshake.Desk {

        @Override
        public String secret() {
            return config.secret();
        }

        @Override
        public ExchangeConfig exchanges() {
            return exchanges;
        }

        @Override
        public void proved(AcceptorHandshake handshake, Hello hello) {
            RankExchange exchange;
            boolean over;
            synchronized (DataPlane.this) {
                strangers.remove(handshake);
                exchange = seated.get(new Seat(hello.generation(), hello.to()));
                over = exchange == null && hello.generation() <= lastEnded;
                if (exchange == null && !over) {
                    waiting.put(handshake, hello);
                }
            }
            if (exchange != null) {
                handshake.admit(exchange);
            } else if (over) {
                handshake.refuse("generation " + hello.generation() + " is over");
            }
        }

        @Override
        public void settled(AcceptorHandshake handshake) {
            synchronized (DataPlane.this) {
                strangers.remove(handshake);
                waiting.remove(handshake);
            }
        }
    }

    /** A local rank's exchange has failed or was closed: nobody can complete that generation any more. */
    private void ended(RankExchange exchange) {
        long number = exchange.plan().generation().number();
        List<AcceptorHandshake> late = new ArrayList<>();
        synchronized (this) {
            seated.remove(new Seat(number, exchange.rank()), exchange);
            lastEnded = Math.max(lastEnded, number);
            waiting.forEach((handshake, hello) -> {
                if (hello.generation() <= number) {
                    late.add(handshake);
                }
            });
        }
        late.forEach(handshake -> handshake.refuse("generation " + number + " is over"));
    }

    /** Ends all exchanges, tells their peers, and stops listening and all threads. */
    @Override
    public void close() {
        List<RankExchange> open;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            open = List.copyOf(seated.values());
        }
        open.forEach(exchange -> exchange.leave(": its data plane was closed"));
        server.close().awaitUninterruptibly();
        loops.close();
    }
}
