package io.rasterflow.tests.actors;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.typesafe.config.ConfigFactory;
import io.rasterflow.actors.downing.PauseAwareResolver;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.sbr.SplitBrainResolver;
import org.apache.pekko.testkit.javadsl.TestKit;
import org.apache.pekko.util.Version;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import scala.Option;
import scala.Some;
import scala.collection.immutable.Set;
import scala.collection.immutable.Set$;
import scala.concurrent.duration.FiniteDuration;

/** A resolver that leads a cluster of five and is told who is reachable; its clock is the test's. */
class PauseAwareResolverTest {

    private static final int STABLE_MILLIS = 300;

    private final ActorSystem system = ActorSystem.create(
            "paused",
            ConfigFactory.parseMap(Map.of(
                            "pekko.remote.artery.canonical.hostname",
                            "127.0.0.1",
                            "pekko.remote.artery.canonical.port",
                            0))
                    .withFallback(ConfigFactory.parseResources("rasterflow-pekko.conf"))
                    .withFallback(ConfigFactory.load()));
    private final Cluster cluster = Cluster.get(system);
    private final AtomicLong clock = new AtomicLong();
    private final TestKit downed = new TestKit(system);
    private final Member dead = member("10.0.0.1", 1);
    private final Member well = member("10.0.0.2", 2);
    private final ActorRef resolver = system.actorOf(Props.create(ByHand.class, () -> new ByHand(this)));

    /** Its ticks are the test's, too. */
    private static final class ByHand extends PauseAwareResolver {
        private ByHand(PauseAwareResolverTest test) {
            super(
                    FiniteDuration.apply(STABLE_MILLIS, "ms"),
                    Option.empty(),
                    test.cluster,
                    test.clock::get,
                    node -> test.downed.getRef().tell(node, ActorRef.noSender()));
        }

        @Override
        public FiniteDuration tickInterval() {
            return FiniteDuration.apply(1, "day");
        }
    }

    private static Member member(String host, int uid) {
        return member(new UniqueAddress(new Address("pekko", "paused", host, 7355), (long) uid));
    }

    private static Member member(UniqueAddress address) {
        Set<String> roles = Set$.MODULE$.<String>empty().$plus("dc-default");
        return new Member(address, 1, MemberStatus.up(), roles, Version.Zero());
    }

    @AfterEach
    void stop() {
        TestKit.shutdownActorSystem(system);
    }

    private void begin() {
        Member self = member(cluster.selfUniqueAddress());
        for (Member member : List.of(self, dead, well, member("10.0.0.3", 3), member("10.0.0.4", 4))) {
            tell(new ClusterEvent.MemberUp(member));
        }
        tell(new ClusterEvent.LeaderChanged(Some.apply(self.address())));
        tell(new ClusterEvent.UnreachableMember(dead));
        tell(new ClusterEvent.UnreachableMember(well));
    }

    private void tell(Object message) {
        resolver.tell(message, ActorRef.noSender());
    }

    /** The resolver's clock goes on by so much, real time until a decision is due. */
    private void tickAfter(Duration time) {
        clock.addAndGet(time.toNanos());
        tell(SplitBrainResolver.Tick$.MODULE$);
    }

    /** The resolver may have heard of everything later than it was told, and its deadline be as late. */
    private java.util.Set<Object> givenUp(int nodes) {
        java.util.Set<Object> heard = new HashSet<>();
        for (int tick = 0; tick < 50 && heard.size() < nodes; tick++) {
            tickAfter(Duration.ofSeconds(1));
            Optional.ofNullable(downed.receiveOne(Duration.ofMillis(100))).ifPresent(heard::add);
        }
        return heard;
    }

    private void letStableTimePass() {
        downed.expectNoMessage(Duration.ofMillis(STABLE_MILLIS + 100));
    }

    @Test
    void whoIsUnreachableForLongIsGivenUp() {
        begin();
        letStableTimePass();
        assertEquals(java.util.Set.of(dead.uniqueAddress(), well.uniqueAddress()), givenUp(2));
    }

    @Test
    void afterAPauseItHearsFirstWhoHasComeBack() {
        begin();
        letStableTimePass();
        tickAfter(Duration.ofSeconds(4));
        downed.expectNoMessage(Duration.ofMillis(100));
        tell(new ClusterEvent.ReachableMember(well));
        letStableTimePass();
        assertEquals(java.util.Set.of(dead.uniqueAddress()), givenUp(1));
        downed.expectNoMessage(Duration.ofMillis(100));
    }
}
