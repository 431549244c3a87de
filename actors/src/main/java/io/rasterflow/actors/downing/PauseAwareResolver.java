package io.rasterflow.actors.downing;

import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.sbr.DowningStrategy;
import org.apache.pekko.cluster.sbr.KeepMajority;
import org.apache.pekko.cluster.sbr.SplitBrainResolver;
import org.apache.pekko.cluster.sbr.SplitBrainResolverBase;
import org.apache.pekko.japi.pf.PFBuilder;
import org.apache.pekko.remote.artery.ThisActorSystemQuarantinedEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Option;
import scala.PartialFunction;
import scala.concurrent.duration.FiniteDuration;
import scala.runtime.BoxedUnit;

/**
 * The split-brain resolver of a process that may stand still, as a stopped or swapped-out one does. Pekko's own decides when
 * nothing that it knew has changed for {@code stable-after}, also if it could hear of no change because it stood still
 * itself: on waking it would give up nodes that have been well for long. This one sees by the time between two of its ticks
 * that it stood still, and begins to wait anew, so that the cluster can first tell it who is reachable now.
 */
public class PauseAwareResolver extends SplitBrainResolverBase {

    private static final Logger LOG = LoggerFactory.getLogger(PauseAwareResolver.class);
    /** Ticks are a second apart; a healthy heartbeat may be as late as that without anybody's thinking ill of it. */
    private static final long LONGEST_TICK_NANOS = 2_000_000_000L;

    private final Cluster cluster;
    private final LongSupplier clock;
    private final Consumer<UniqueAddress> downing;
    private long lastTick;

    /**
     * @param stableAfter how long nothing may have changed before a decision
     * @param role of the nodes that count; none if all do
     * @param clock monotonic, nanoseconds, going on while the process stands still
     * @param downing is told the nodes to give up
     */
    public PauseAwareResolver(
            FiniteDuration stableAfter,
            Option<String> role,
            Cluster cluster,
            LongSupplier clock,
            Consumer<UniqueAddress> downing) {
        super(stableAfter, new KeepMajority(cluster.selfDataCenter(), role, cluster.selfUniqueAddress()));
        this.cluster = cluster;
        this.clock = clock;
        this.downing = downing;
        this.lastTick = clock.getAsLong();
    }

    @Override
    public void preStart() throws Exception {
        cluster.subscribe(self(), ClusterEvent.initialStateAsEvents(), ClusterEvent.ClusterDomainEvent.class);
        context().system().eventStream().subscribe(self(), ThisActorSystemQuarantinedEvent.class);
        super.preStart();
    }

    @Override
    public void postStop() {
        cluster.unsubscribe(self());
        context().system().eventStream().unsubscribe(self());
        super.postStop();
    }

    @Override
    public PartialFunction<Object, BoxedUnit> receive() {
        PartialFunction<Object, BoxedUnit> resolver = super.receive();
        return new PFBuilder<Object, BoxedUnit>()
                .match(SplitBrainResolver.Tick$.class, tick -> {
                    lookAtTheClock();
                    return resolver.apply(tick);
                })
                .build()
                .orElse(resolver);
    }

    private void lookAtTheClock() {
        long now = clock.getAsLong();
        long gap = now - lastTick;
        lastTick = now;
        if (gap > LONGEST_TICK_NANOS) {
            LOG.info("this process stood still for {} ms: what it knows of other nodes may be old", gap / 1_000_000);
            resetStableDeadline();
        }
    }

    @Override
    public UniqueAddress selfUniqueAddress() {
        return cluster.selfUniqueAddress();
    }

    @Override
    public String selfDc() {
        return cluster.selfDataCenter();
    }

    @Override
    public void down(UniqueAddress node, DowningStrategy.Decision decision) {
        LOG.info("the cluster gives up {}: {}", node.address(), decision);
        downing.accept(node);
    }
}
