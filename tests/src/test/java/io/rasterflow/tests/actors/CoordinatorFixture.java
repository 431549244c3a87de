package io.rasterflow.tests.actors;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.coordinator.ClusterView;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.coordinator.Coordinator.Outcome;
import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.Member;
import io.rasterflow.actors.probe.ProbeActor;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.actors.trainer.Trainer;
import io.rasterflow.config.RunConfig;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.Telemetry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A coordinator, with probes in the places of trainers, probe actor and followers. */
abstract class CoordinatorFixture {
    @TempDir
    Path directory;

    final ActorTestKit kit = ActorTestKit.create();
    final TestProbe<MonitorActor.Command> monitor = kit.createTestProbe();
    final TestProbe<ProbeActor.Command> prober = kit.createTestProbe();
    final TestProbe<Outcome> follower = kit.createTestProbe();
    Journal journal;
    ActorRef<Coordinator.Command> coordinator;

    @BeforeEach
    void start() throws IOException {
        journal = Journal.open(directory, "main");
        coordinator = spawn(plan(false), false);
        coordinator.tell(new Coordinator.Follow(follower.getRef()));
    }

    ActorRef<Coordinator.Command> spawn(RunPlan plan, boolean takesOver) {
        return kit.spawn(
                Coordinator.create("main", plan, new Telemetry(journal, monitor.getRef()), new Alone(), takesOver));
    }

    /** One node, which nothing can part. */
    private static final class Alone implements ClusterView {
        @Override
        public void heardNode(ActorRef<?> from) {
            // Nobody asks.
        }

        @Override
        public void heardTrainer(String processId, ActorRef<?> from) {
            // Nobody asks.
        }

        @Override
        public void gone(String processId) {
            // There is no cluster to tell.
        }

        @Override
        public boolean mayGoOn(Set<String> heard, Set<String> gone) {
            return true;
        }
    }

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
        journal.close();
    }

    RunPlan plan(boolean resume) {
        return RunConfig.load(
                        "",
                        List.of(
                                "cluster.replicas=2",
                                "train.steps=20",
                                "train.warmupSteps=2",
                                "train.checkpointEverySteps=10",
                                "probe.everySteps=20",
                                "probe.also.knn.everySteps=20"))
                .config()
                .plan(directory, resume);
    }

    static DataAddress address(String process, int replica) {
        return new DataAddress(process, "127.0.0.1", 1, replica);
    }

    /** A trainer that does what it is told at once. */
    class Puppet {
        final TestProbe<Trainer.Command> probe = kit.createTestProbe();
        final DataAddress address;
        final Member member;

        Puppet(String node, int replica) {
            address = address(node, replica);
            member = new Member(address, node);
            announce();
        }

        void announce() {
            announce("the images");
        }

        void announce(String identity) {
            coordinator.tell(new Coordinator.Announce(member.standing(), identity, probe.getRef()));
        }

        Assignment formed() {
            assertTrue(member.prepare(awaited(Trainer.Form.class).place()));
            if (member.needsWeights()) {
                member.restored();
            }
            member.begin();
            announce();
            return member.place();
        }

        /** Skips what is said again and again, and says who is in its generation. */
        <T extends Trainer.Command> T awaited(Class<T> kind) {
            Trainer.Command message = probe.receiveMessage();
            while (!kind.isInstance(message)) {
                if (message instanceof Trainer.Describe) {
                    coordinator.tell(new Coordinator.Described(member.roster().orElseThrow()));
                }
                message = probe.receiveMessage();
            }
            return kind.cast(message);
        }

        void step(int steps) {
            for (int i = 0; i < steps; i++) {
                member.applied(i);
            }
            announce();
        }

        void halt() {
            member.halt();
            announce();
        }

        void finish(String hash) {
            member.finish(hash);
            announce();
        }
    }
}
