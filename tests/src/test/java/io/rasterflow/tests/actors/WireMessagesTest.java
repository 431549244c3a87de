package io.rasterflow.tests.actors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.rasterflow.actors.WireMessage;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.coordinator.NodeOrder;
import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.exchange.Liveness;
import io.rasterflow.actors.membership.Origin;
import io.rasterflow.actors.membership.Phase;
import io.rasterflow.actors.membership.Placement;
import io.rasterflow.actors.membership.Roster;
import io.rasterflow.actors.membership.Standing;
import io.rasterflow.actors.probe.ProbeActor;
import io.rasterflow.actors.trainer.Trainer;
import io.rasterflow.config.RunConfig;
import io.rasterflow.model.probe.ProbeKind;
import io.rasterflow.monitoring.action.ActionAnswer;
import io.rasterflow.monitoring.action.ActionKind;
import io.rasterflow.monitoring.action.ActionRequest;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Every message that may leave the JVM survives the journey as Jackson CBOR; Java serialisation is off. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WireMessagesTest {

    private static final Config CONFIG = ConfigFactory.parseString("pekko.actor.provider = local")
            .withFallback(ConfigFactory.parseResources("rasterflow-pekko.conf"))
            .withFallback(ConfigFactory.load());

    private final ActorTestKit kit = ActorTestKit.create("wire", CONFIG);

    @AfterAll
    void stop() {
        kit.shutdownTestKit();
    }

    private List<WireMessage> samples() {
        DataAddress address = new DataAddress("process", "127.0.0.1", 7, 1);
        Generation generation = new Generation(3, List.of(address, address), 4);
        Origin origin = new Origin(Origin.Kind.PEER, "", Optional.of(address));
        Roster roster = Roster.whole(generation, generation.fingerprint());
        Standing standing = new Standing(
                address, "n", 4, Phase.TRAINING, 3, generation.fingerprint(), 2, 4, 5, "digest", "", false, 0.25);
        TestProbe<Coordinator.Command> coordinator = kit.createTestProbe();
        TestProbe<Trainer.Command> trainer = kit.createTestProbe();
        TestProbe<ProbeActor.Command> probe = kit.createTestProbe();
        TestProbe<Coordinator.Admission> admission = kit.createTestProbe();
        TestProbe<Coordinator.Outcome> outcome = kit.createTestProbe();
        TestProbe<Coordinator.Answered> answered = kit.createTestProbe();
        return List.of(
                new Coordinator.JoinNode("n", "process", 3, admission.getRef()),
                new Coordinator.Welcome(RunConfig.load("", List.of()).config().plan(Path.of("run"), true), 3, "id"),
                new Coordinator.Refused("reason"),
                new Coordinator.Announce(standing, "identity", trainer.getRef()),
                new Coordinator.Described(roster),
                new Coordinator.Found(address, Liveness.SILENT),
                new Coordinator.JoinProbe("n", probe.getRef()),
                new Coordinator.CheckpointWritten(5, "directory", "hash"),
                new Coordinator.Saved(5, "hash"),
                new Coordinator.Evaluated(5, Double.NaN),
                new Coordinator.EvaluationFailed(5, "cause"),
                new Coordinator.TrainerFailed(address, "n", "cause", true),
                new Coordinator.NodeFailed("n", "cause"),
                new Coordinator.Stop(),
                new Coordinator.Ask(
                        new ActionRequest(ActionKind.LOG_LEVEL, "n", "debug", "127.0.0.1"), answered.getRef()),
                new Coordinator.Answered(new ActionAnswer(true, "line")),
                new NodeOrder.Drain("127.0.0.1"),
                new NodeOrder.Log("debug", "127.0.0.1"),
                new Coordinator.Follow(outcome.getRef()),
                new Coordinator.Outcome("completed", 5, "", "hash"),
                new Trainer.Form(new Placement(roster, 1, 5, "digest", origin, 1)),
                new Trainer.Expect(roster, 1),
                new Trainer.Halt(3),
                new Trainer.Pause(3),
                new Trainer.Confirm(address),
                new Trainer.Describe(),
                new Trainer.Save(),
                new Trainer.Retire("reason"),
                new Trainer.Validated(5, 0.5),
                new ProbeActor.Evaluate(
                        5, "directory", List.of(ProbeKind.ATTENTIVE, ProbeKind.KNN), coordinator.getRef()));
    }

    @Test
    void everyMessageSurvivesTheJourney() {
        samples().forEach(message -> kit.serializationTestKit().verifySerialization(message, true));
    }

    @Test
    void noMessageIsForgottenHere() {
        Set<Class<?>> expected = Stream.of(Coordinator.class, NodeOrder.class, Trainer.class, ProbeActor.class)
                .flatMap(actor -> Arrays.stream(actor.getDeclaredClasses()))
                .filter(message -> WireMessage.class.isAssignableFrom(message) && !message.isInterface())
                .collect(Collectors.toSet());
        assertFalse(expected.isEmpty());
        assertEquals(expected, samples().stream().map(Object::getClass).collect(Collectors.toSet()));
    }
}
