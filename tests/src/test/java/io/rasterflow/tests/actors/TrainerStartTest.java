package io.rasterflow.tests.actors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.exchange.DataPlaneConfig;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.actors.trainer.InputReport;
import io.rasterflow.actors.trainer.QuarantinePictures;
import io.rasterflow.actors.trainer.Trainer;
import io.rasterflow.actors.trainer.TrainerNode;
import io.rasterflow.config.RunConfig;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.Telemetry;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A trainer that cannot begin tells its node, and the coordinator whether every rank would fare the same: as in a step, what
 * concerns its machine costs this trainer, anything else the run.
 */
class TrainerStartTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private final ActorTestKit kit = ActorTestKit.create(ConfigFactory.parseString("pekko.actor.provider = local")
            .withFallback(ConfigFactory.parseResources("rasterflow-pekko.conf"))
            .withFallback(ConfigFactory.load()));
    private final TestProbe<Coordinator.Command> coordinator = kit.createTestProbe();
    private final TestProbe<TrainerNode.Ended> ended = kit.createTestProbe();
    private final TestProbe<MonitorActor.Command> monitor = kit.createTestProbe();

    private Path shard;
    private DataSet images;
    private DataPlane dataPlane;
    private Journal journal;
    private TrainerNode node;

    @BeforeEach
    void open() throws IOException {
        shard = directory.resolve("train.tar");
        Path bundled = Path.of(System.getProperty("rasterflow.home"))
                .resolve("streams/data/fashion-mnist/validation-00.tar.gz");
        try (GZIPInputStream in = new GZIPInputStream(Files.newInputStream(bundled))) {
            Files.copy(in, shard);
        }
        RunPlan plan = RunConfig.load(
                        "",
                        List.of(
                                "model.trunk.dim=16",
                                "model.trunk.blocks=1",
                                "model.trunk.heads=1",
                                "model.head.dim=16",
                                "train.device=cpu",
                                "data.train=[\"" + shard + "\"]",
                                "data.cache.directory=\"" + directory.resolve("cache") + "\""))
                .config()
                .plan(directory.resolve("run"), false);
        images = plan.data().openTrain();
        dataPlane = DataPlane.bind(new DataPlaneConfig("127.0.0.1", 0, "secret"), plan.exchange());
        journal = Journal.open(directory.resolve("run"), "node");
        Telemetry telemetry = new Telemetry(journal, monitor.getRef());
        node = new TrainerNode(
                "node",
                "the images",
                plan,
                0,
                images,
                dataPlane,
                telemetry,
                new InputReport("node", plan, images, telemetry),
                new QuarantinePictures("node", plan, images, telemetry, Runnable::run),
                coordinator.getRef(),
                ended.getRef(),
                Runnable::run);
    }

    @AfterEach
    void close() throws IOException {
        kit.shutdownTestKit();
        dataPlane.close();
        images.close();
        journal.close();
    }

    private Coordinator.TrainerFailed failure(boolean interrupted) {
        kit.spawn(
                Behaviors.<Trainer.Command>setup(context -> {
                    if (interrupted) {
                        Thread.currentThread().interrupt();
                    }
                    return Trainer.create(node, 0);
                }),
                Trainer.dispatcher());
        Coordinator.TrainerFailed failed = coordinator.expectMessageClass(Coordinator.TrainerFailed.class, PATIENCE);
        assertEquals(failed.cause(), ended.receiveMessage(PATIENCE).reason());
        assertEquals(dataPlane.address(0), failed.address());
        return failed;
    }

    @Test
    void aShardThatIsGoneHereCostsThisTrainer() throws IOException {
        Files.delete(shard);
        Coordinator.TrainerFailed failed = failure(false);
        assertTrue(failed.cause().contains("train.tar"), failed.toString());
        assertEquals(false, failed.fatal());
    }

    @Test
    void aFaultOfTheProgramCostsTheRun() throws IOException {
        images.close();
        Coordinator.TrainerFailed failed = failure(false);
        assertTrue(failed.fatal(), failed.toString());
    }

    @Test
    void anInterruptIsTold() {
        assertEquals(false, failure(true).fatal());
    }
}
