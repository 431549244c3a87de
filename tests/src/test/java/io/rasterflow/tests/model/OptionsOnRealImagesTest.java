package io.rasterflow.tests.model;

import static io.rasterflow.tests.model.Models.OPTIMIZER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.Compute;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.AimConfig.Head;
import io.rasterflow.model.aim.Objective;
import io.rasterflow.model.aim.Objective.Attention;
import io.rasterflow.model.aim.Objective.Kind;
import io.rasterflow.model.aim.Objective.Order;
import io.rasterflow.model.aim.Objective.Target;
import io.rasterflow.model.codebook.KMeans;
import io.rasterflow.model.codebook.PatchGrid;
import io.rasterflow.tests.Paired;
import java.awt.image.BufferedImage;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import javax.imageio.ImageIO;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every choice that the paper makes or compares learns on the bundled photographs of clothes. */
@Paired
class OptionsOnRealImagesTest {
    private static final int IMAGES = 512;
    private static final int BATCH = 32;
    private static final int STEPS = 60;
    private static final int PIXELS = 28 * 28;
    private static final int VOCABULARY = 16;
    private static final Head MLP = new Head(32, 1);

    @TempDir
    private static Path directory;

    private static ByteBuffer images;

    @BeforeAll
    static void readImages() throws IOException {
        images = Models.floats(IMAGES * PIXELS);
        Path shard = shards().resolve("train-00.tar.gz");
        try (TarArchiveInputStream tar =
                new TarArchiveInputStream(new GZIPInputStream(new BufferedInputStream(Files.newInputStream(shard))))) {
            int count = 0;
            for (TarArchiveEntry entry = tar.getNextEntry(); count < IMAGES; entry = tar.getNextEntry()) {
                if (entry.getName().endsWith(".png")) {
                    BufferedImage image = ImageIO.read(new java.io.ByteArrayInputStream(tar.readAllBytes()));
                    for (int i = 0; i < PIXELS; i++) {
                        float grey = image.getRaster().getSample(i % 28, i / 28, 0) / 255f;
                        images.putFloat((count * PIXELS + i) * Float.BYTES, (grey - 0.286f) / 0.353f);
                    }
                    count++;
                }
            }
        }
        try (KMeans means = new KMeans(new PatchGrid(28, 7, 1), IMAGES)) {
            means.add(images, IMAGES);
            means.train(VOCABULARY, 10, 1, (iteration, distortion, empty) -> {})
                    .write(directory.resolve("codebook.safetensors"));
        }
    }

    /** The bundled shards, from the folder of the tests or of the whole project. */
    private static Path shards() {
        Path here = Path.of("streams/data/fashion-mnist");
        return Files.isDirectory(here) ? here : Path.of("..").resolve(here);
    }

    private static AimConfig model(Head head, Objective objective) {
        return new AimConfig(28, 7, 1, new AimConfig.Trunk(32, 2, 2), head, objective, 1e-6);
    }

    private static AimConfig targeting(Target target) {
        String codebook = directory.resolve("codebook.safetensors").toString();
        return model(
                MLP,
                new Objective(Kind.AUTOREGRESSIVE, 0.5, target, VOCABULARY, codebook, Order.RASTER, Attention.PREFIX));
    }

    private static AimConfig visiting(Order order, Attention attention) {
        return model(MLP, new Objective(Kind.AUTOREGRESSIVE, 0.5, Target.NORMALISED, 0, "", order, attention));
    }

    private static AimConfig masking(double ratio) {
        return model(MLP, new Objective(Kind.MASKED, ratio, Target.NORMALISED, 0, "", Order.RASTER, Attention.PREFIX));
    }

    static Stream<AimConfig> options() {
        return Stream.of(
                model(MLP, Objective.PAPER),
                model(new Head(Head.Kind.NONE, 4, 0), Objective.PAPER),
                model(new Head(Head.Kind.TRANSFORMER, 32, 1), Objective.PAPER),
                targeting(Target.RAW),
                targeting(Target.TOKENS),
                visiting(Order.SPIRAL, Attention.CAUSAL),
                visiting(Order.CHECKERBOARD, Attention.CAUSAL),
                visiting(Order.RANDOM, Attention.CAUSAL),
                visiting(Order.RASTER, Attention.CAUSAL),
                masking(0.5),
                masking(0.75));
    }

    @ParameterizedTest
    @MethodSource("options")
    void learns(AimConfig config) {
        try (Replica replica = Aim.replica(config, OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(1);
            ByteBuffer gradient = Models.floats(replica.gradientFloats());
            double first = 0;
            double last = 0;
            for (int step = 0; step < STEPS; step++) {
                int start = step * BATCH % IMAGES * PIXELS * Float.BYTES;
                ByteBuffer batch =
                        images.slice(start, BATCH * PIXELS * Float.BYTES).order(images.order());
                LossSum loss = replica.gradients(batch, Models.keys(BATCH, step), gradient);
                replica.update(gradient, loss.patches(), 2e-3);
                first += step < 3 ? loss.mean() / 3 : 0;
                last += step >= STEPS - 10 ? loss.mean() / 10 : 0;
            }
            assertEquals(STEPS, replica.snapshot().step());
            assertTrue(last < 0.8 * first, "loss " + first + " fell to " + last + " only");
        }
    }
}
