package io.rasterflow.actors.exchange;

import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.SocketChannel;
import io.rasterflow.actors.Refusals;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    private static final Duration CONFIRM_PATIENCE = Duration.ofSeconds(1);
    private static final int MAX_WORLD_SIZE = 65_535;

    private final DataPlaneConfig config;
    private final ExchangeConfig exchanges;
    private final String processId = UUID.randomUUID().toString();
    private final SharedMemory memory;
    private final EventLoops loops;
    private final Sockets sockets;
    private final Visits visits;
    private final Channel server;
    private final AcceptorHandshake.Desk desk = new FrontDesk();
    private final Refusals refusals = new Refusals(LOG);

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
        this.memory = new SharedMemory(exchanges.transport());
        this.loops = loops;
        this.sockets = new Sockets(loops, exchanges);
        this.visits = new Visits(processId, config.secret(), exchanges, loops, sockets);
        this.server = sockets.listen(config, this::greet);
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

    /** The address under which other ranks reach the given replica of this process. */
    public DataAddress address(int replica) {
        return new DataAddress(processId, config.host(), port(), replica);
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
        RankExchange exchange;
        try {
            exchange = new RankExchange(plan, rank, segment(plan, rank), this::ended);
        } catch (ExchangeException e) {
            return CompletableFuture.failedFuture(e);
        }
        List<RankExchange> neighbours = new ArrayList<>();
        List<AcceptorHandshake> visitors = new ArrayList<>();
        String refusal = "";
        synchronized (this) {
            if (closed) {
                refusal = "the data plane is closed";
            } else if (generation.number() <= lastEnded) {
                refusal = "generation " + generation.number() + " is over";
            } else if (seated.putIfAbsent(new Seat(generation.number(), rank), exchange) != null) {
                throw new IllegalStateException(
                        "rank " + rank + " has joined generation " + generation.number() + " already");
            }
            if (refusal.isEmpty()) {
                seated.values().stream()
                        .filter(other ->
                                other != exchange && other.plan().generation().number() == generation.number())
                        .forEach(neighbours::add);
                takeWaiting(generation.number(), rank, visitors);
            }
        }
        if (!refusal.isEmpty()) {
            exchange.fail(new ExchangeException(refusal)); // And its segment goes with it.
            return exchange.joined();
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

    /** As {@link #confirm(DataAddress, Duration)}, with a second's patience. */
    public CompletionStage<Liveness> confirm(DataAddress peer) {
        return confirm(peer, CONFIRM_PATIENCE);
    }

    /**
     * Asks a process directly whether it is there, over a connection of its own.
     *
     * @param patience after which it counts as silent
     */
    public CompletionStage<Liveness> confirm(DataAddress peer, Duration patience) {
        return isClosed() ? closedFailure() : visits.confirm(peer, (int) patience.toMillis());
    }

    /** Lets peers fetch the state of a replica of this process from this source; the last source given counts. */
    public void offer(int replica, StateSource source) {
        visits.offer(replica, source);
    }

    /**
     * Takes a replica's state from the process that offers it, over a connection of its own. Fails with {@link
     * ExchangeException} when that is gone or falls silent, refuses, or offers other blocks than these.
     *
     * @param blockBytes length of every block, each below 2 GiB; so much direct memory is taken and no more
     */
    public CompletionStage<PeerState> fetch(DataAddress peer, List<Long> blockBytes) {
        return isClosed() ? closedFailure() : visits.fetch(peer, blockBytes);
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    private static <T> CompletionStage<T> closedFailure() {
        return CompletableFuture.failedFuture(new ExchangeException("the data plane is closed"));
    }

    /** For ranks with peers in other processes, which may turn out to be on this host. */
    private Optional<SharedSegment> segment(ReductionPlan plan, int rank) {
        boolean alone = plan.generation().members().stream()
                .allMatch(member -> member.processId().equals(processId));
        return alone || plan.ring() ? Optional.empty() : memory.segment(plan, rank);
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
        Hello hello = Hello.of(exchange.plan(), exchange.rank(), peer);
        ConnectorHandshake handshake =
                new ConnectorHandshake(hello, exchange.rank(), config.secret(), new ConnectorHandshake.Caller() {
                    @Override
                    public void welcome(DuplexChannel channel, FrameDecoder decoder) {
                        SegmentHandshake.start(channel, decoder, exchange, peer);
                    }

                    @Override
                    public void failed(ConnectorHandshake.Refusal kind, String cause) {
                        exchange.lost(peer, cause);
                    }
                });
        exchange.whenNotJoined(handshake::abandon);
        sockets.connect(exchange.plan().generation().members().get(peer), handshake, exchanges.connectMillis());
    }

    private int port() {
        return ((InetSocketAddress) server.localAddress()).getPort();
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
            desk.refused(channel.remoteAddress(), MAX_STRANGERS + " others are still unproved");
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
        public void refused(SocketAddress stranger, String reason) {
            refusals.add(stranger, "the data port " + config.host() + ":" + port(), reason);
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
        public void visited(AcceptorHandshake handshake, Visit visit) {
            visits.receive(handshake, visit);
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
        visits.close();
        server.close().awaitUninterruptibly();
        loops.close();
    }
}
