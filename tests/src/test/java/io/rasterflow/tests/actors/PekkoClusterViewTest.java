package io.rasterflow.tests.actors;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.rasterflow.actors.coordinator.PekkoClusterView;
import java.time.Duration;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.Leave;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A real cluster of two nodes in this process, as the coordinator sees it. */
class PekkoClusterViewTest {

    private final ActorTestKit here = start(0);
    private final Address address = Cluster.get(here.system()).selfMember().address();

    private static ActorTestKit start(int port) {
        Config config = ConfigFactory.parseMap(Map.of(
                        "pekko.remote.artery.canonical.hostname",
                        "127.0.0.1",
                        "pekko.remote.artery.canonical.port",
                        port))
                .withFallback(ConfigFactory.parseResources("rasterflow-pekko.conf"))
                .withFallback(ConfigFactory.load());
        return ActorTestKit.create("view", config);
    }

    @AfterEach
    void close() {
        here.shutdownTestKit();
    }

    /** Processes are found gone late: by then the next one may be at the same address. */
    @Test
    void aProcessThatIsGoneDoesNotTakeAnotherAtItsAddressWithIt() {
        Cluster.get(here.system()).manager().tell(Join.create(address));
        PekkoClusterView view = new PekkoClusterView(here.system());
        ActorTestKit first = start(0);
        Address there = join(first);
        ActorRef<Object> trainer = ActorRefResolver.get(here.system()).resolveActorRef(there + "/user");
        view.heardTrainer("first", trainer);
        Cluster.get(here.system()).manager().tell(new Leave(there));
        awaitUp(there, false);
        first.shutdownTestKit();

        ActorTestKit second = start(there.getPort().get());
        try {
            join(second);
            view.heardTrainer("second", trainer);
            view.gone("first");
            Awaitility.await().during(Duration.ofSeconds(1)).until(() -> isUp(there));
            view.gone("second");
            awaitUp(there, false);
        } finally {
            second.shutdownTestKit();
        }
    }

    private Address join(ActorTestKit other) {
        Cluster.get(other.system()).manager().tell(Join.create(address));
        Address there = Cluster.get(other.system()).selfMember().address();
        awaitUp(there, true);
        return there;
    }

    private void awaitUp(Address node, boolean up) {
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> isUp(node) == up);
    }

    private boolean isUp(Address node) {
        return StreamSupport.stream(
                        Cluster.get(here.system()).state().getMembers().spliterator(), false)
                .anyMatch(member -> member.address().equals(node) && member.status() == MemberStatus.up());
    }
}
