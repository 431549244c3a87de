package io.rasterflow.actors.exchange;

import io.netty.channel.socket.DuplexChannel;
import io.rasterflow.actors.exchange.ConnectorHandshake.Refusal;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** What a process asks another one outside of generations: whether it is there, and for a replica's state. */
final class Visits {

    private static final int RETRY_MILLIS = 20;

    private final String processId;
    private final String secret;
    private final ExchangeConfig config;
    private final EventLoops loops;
    private final Sockets sockets;
    private final Map<Integer, StateSource> sources = new ConcurrentHashMap<>();
    private final Set<CompletableFuture<?>> open = ConcurrentHashMap.newKeySet();

    Visits(String processId, String secret, ExchangeConfig config, EventLoops loops, Sockets sockets) {
        this.processId = processId;
        this.secret = secret;
        this.config = config;
        this.loops = loops;
        this.sockets = sockets;
    }

    void offer(int replica, StateSource source) {
        sources.put(replica, source);
    }

    /** A visitor has proved that it knows the secret; on its event loop. */
    void receive(AcceptorHandshake visitor, Visit visit) {
        StateSource source = sources.get(visit.replica());
        if (!visit.processId().equals(processId)) {
            visitor.refuse("process " + visit.processId() + " is not here");
        } else if (visit.type() == FrameType.CONFIRM) {
            visitor.welcome(0);
            Frames.finish(visitor.channel());
        } else if (source == null) {
            visitor.refuse("replica " + visit.replica() + " of this process offers no state");
        } else {
            StateSender.start(visitor, source, config);
        }
    }

    CompletionStage<PeerState> fetch(DataAddress peer, List<Long> blockBytes) {
        StateFetch fetch = new StateFetch(peer, blockBytes, config);
        ConnectorHandshake handshake = new ConnectorHandshake(Visit.to(peer, FrameType.FETCH), 0, secret, fetch);
        CompletableFuture<PeerState> result = fetch.result().toCompletableFuture();
        keep(result);
        // From here to the first frame of the state; the heartbeat takes over then.
        limit(config.silenceMillis(), result, () -> {
            if (fetch.isWaiting()) {
                handshake.abandon();
                fetch.fail("silent for " + config.silenceMillis() + " ms");
            }
        });
        sockets.connect(peer, handshake, config.silenceMillis());
        return result;
    }

    CompletionStage<Liveness> confirm(DataAddress peer, int millis) {
        CompletableFuture<Liveness> result = new CompletableFuture<>();
        keep(result);
        limit(millis, result, () -> result.complete(Liveness.SILENT));
        ask(peer, millis, result);
        return result;
    }

    private void ask(DataAddress peer, int millis, CompletableFuture<Liveness> result) {
        ConnectorHandshake handshake =
                new ConnectorHandshake(Visit.to(peer, FrameType.CONFIRM), 0, secret, new ConnectorHandshake.Caller() {
                    @Override
                    public void welcome(DuplexChannel channel, FrameDecoder decoder) {
                        result.complete(Liveness.ALIVE);
                        Frames.close(channel);
                    }

                    @Override
                    public void failed(Refusal kind, String cause) {
                        if (kind != Refusal.BROKEN) {
                            result.complete(Liveness.GONE);
                        } else if (!result.isDone()) {
                            // A process that dies closes its connections shortly before its port.
                            var retry = later(RETRY_MILLIS, () -> ask(peer, millis, result));
                            var unused = result.whenComplete((liveness, failure) -> retry.cancel(false));
                        }
                    }
                });
        var unused = result.whenComplete((liveness, failure) -> handshake.abandon());
        sockets.connect(peer, handshake, millis);
    }

    private void keep(CompletableFuture<?> result) {
        open.add(result);
        var unused = result.whenComplete((value, failure) -> open.remove(result));
    }

    private void limit(int millis, CompletableFuture<?> result, Runnable action) {
        var deadline = later(millis, action);
        var unused = result.whenComplete((value, failure) -> deadline.cancel(false));
    }

    private ScheduledFuture<?> later(int millis, Runnable action) {
        return loops.group().next().schedule(action, millis, TimeUnit.MILLISECONDS);
    }

    /** Nobody is told anything any more. */
    void close() {
        open.forEach(result -> result.completeExceptionally(new ExchangeException("the data plane is closed")));
    }
}
