package io.rasterflow.tests.actors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.rasterflow.actors.WireMessage;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.probe.ProbeActor;
import io.rasterflow.actors.trainer.Trainer;
import io.rasterflow.config.RunConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
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
        TestProbe<Coordinator.Command> coordinator = kit.createTestProbe();
        TestProbe<Trainer.Command> trainer = kit.createTestProbe();
        TestProbe<ProbeActor.Command> probe = kit.createTestProbe();
        TestProbe<Coordinator.Welcome> welcome = kit.createTestProbe();
        TestProbe<Coordinator.Outcome> outcome = kit.createTestProbe();
        return List.of(
                new Coordinator.JoinNode("n", welcome.getRef()),
                new Coordinator.Welcome(RunConfig.load("", List.of()).config().plan(Path.of("run"), true)),
                new Coordinator.JoinTrainer("n", address, trainer.getRef()),
                new Coordinator.JoinProbe("n", probe.getRef()),
                new Coordinator.CheckpointWritten(5, "directory", "hash"),
                new Coordinator.Evaluated(5, Double.NaN),
                new Coordinator.EvaluationFailed(5, "cause"),
                new Coordinator.Finished(1, 5, "hash"),
                new Coordinator.TrainerFailed(1, "n", "cause"),
                new Coordinator.Left(1),
                new Coordinator.Stop(),
                new Coordinator.Follow(outcome.getRef()),
                new Coordinator.Outcome("completed", 5, "", "hash"),
                new Trainer.Begin(generation, 1, 5, "directory"),
                new Trainer.Validated(5, 0.5),
                new Trainer.Drain(),
                new ProbeActor.Evaluate(5, "directory", true, coordinator.getRef()));
    }

    @Test
    void everyMessageSurvivesTheJourney() {
        samples().forEach(message -> kit.serializationTestKit().verifySerialization(message, true));
    }

    @Test
    void noMessageIsForgottenHere() {
        Set<Class<?>> expected = Stream.of(Coordinator.class, Trainer.class, ProbeActor.class)
                .flatMap(actor -> Arrays.stream(actor.getDeclaredClasses()))
                .filter(WireMessage.class::isAssignableFrom)
                .collect(Collectors.toSet());
        assertFalse(expected.isEmpty());
        assertEquals(expected, samples().stream().map(Object::getClass).collect(Collectors.toSet()));
    }
}
