package io.rasterflow.tests.model;

import static io.rasterflow.tests.model.Models.OPTIMIZER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.Compute;
import io.rasterflow.model.Evaluator;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.PredictedImage;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.AimConfig.Head;
import io.rasterflow.model.aim.Objective;
import io.rasterflow.model.aim.Objective.Attention;
import io.rasterflow.model.aim.Objective.Kind;
import io.rasterflow.model.aim.Objective.Order;
import io.rasterflow.model.aim.Objective.Target;
import io.rasterflow.model.aim.PatchOrder;
import io.rasterflow.model.aim.Prefix;
import io.rasterflow.tests.Paired;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is shown of predictions is what the validation loss counts, at its place in the image and in its pixels. */
@Paired
class PredictedImageTest {
    private static final int SIZE = 20;
    private static final int SIDE = 4;
    private static final int GRID = SIZE / SIDE;
    private static final int CHANNELS = 3;
    /** More than go into one native call. */
    private static final int IMAGES = 1024 / (GRID * GRID) + 3;

    private static AimConfig model(Head.Kind head, Kind kind, Target target, Order order, Attention attention) {
        return new AimConfig(
                SIZE,
                SIDE,
                CHANNELS,
                new AimConfig.Trunk(16, 2, 2),
                new Head(head, 24, 1),
                new Objective(kind, 0.6, target, target == Target.TOKENS ? 2 : 0, "k", order, attention),
                1e-5);
    }

    static Stream<AimConfig> models() {
        return Stream.of(
                model(Head.Kind.MLP, Kind.AUTOREGRESSIVE, Target.NORMALISED, Order.RASTER, Attention.PREFIX),
                model(Head.Kind.MLP, Kind.AUTOREGRESSIVE, Target.NORMALISED, Order.SPIRAL, Attention.PREFIX),
                model(Head.Kind.NONE, Kind.AUTOREGRESSIVE, Target.RAW, Order.CHECKERBOARD, Attention.CAUSAL),
                model(Head.Kind.TRANSFORMER, Kind.AUTOREGRESSIVE, Target.NORMALISED, Order.RANDOM, Attention.PREFIX),
                model(Head.Kind.MLP, Kind.MASKED, Target.NORMALISED, Order.RASTER, Attention.PREFIX));
    }

    @ParameterizedTest
    @MethodSource("models")
    void whatIsShownIsWhatTheLossCounts(AimConfig config) {
        ByteBuffer images = Models.images(config, IMAGES, 3);
        long[] keys = Models.keys(IMAGES, 4);
        try (Evaluator evaluator = trained(config)) {
            LossSum loss = evaluator.loss(images, keys);
            List<PredictedImage> predictions = evaluator.predict(images, keys);
            assertEquals(IMAGES, predictions.size());
            double sum = 0;
            long counted = 0;
            for (PredictedImage prediction : predictions) {
                int counts = GRID * GRID - prediction.shown();
                counted += counts;
                sum += prediction.loss() * counts;
            }
            assertEquals(loss.patches(), counted);
            assertEquals(loss.sum(), sum, 1e-5 * loss.sum());
            assertEquals(loss, evaluator.loss(images, keys), "showing it changes the model");
        }
    }

    /** The loss of a patch follows from its true and its predicted pixels only if both stand at the same place. */
    @ParameterizedTest
    @MethodSource("models")
    void everyPredictionStandsAtItsPlaceInPixels(AimConfig config) {
        ByteBuffer images = Models.images(config, IMAGES, 5);
        long[] keys = Models.keys(IMAGES, 6);
        try (Evaluator evaluator = trained(config)) {
            List<PredictedImage> predictions = evaluator.predict(images, keys);
            for (int i = 0; i < IMAGES; i++) {
                for (int patch = 0; patch < GRID * GRID; patch++) {
                    PredictedImage prediction = predictions.get(i);
                    double expected = lossInPixels(config, images, i, prediction.pixels(), patch);
                    assertEquals(prediction.counts(patch), !Double.isNaN(expected), "patch " + patch);
                    if (prediction.counts(patch)) {
                        float found = prediction.losses()[patch];
                        assertEquals(expected, found, 1e-3 * expected, "patch " + patch + " of image " + i);
                    }
                }
            }
        }
    }

    private static double lossInPixels(AimConfig config, ByteBuffer images, int image, float[] predicted, int patch) {
        double error = 0;
        double sum = 0;
        double squares = 0;
        int values = config.patchValues();
        for (int i = 0; i < values; i++) {
            int channel = i / (SIDE * SIDE);
            int y = patch / GRID * SIDE + i / SIDE % SIDE;
            int x = patch % GRID * SIDE + i % SIDE;
            int at = (channel * SIZE + y) * SIZE + x;
            double truth = images.getFloat((image * CHANNELS * SIZE * SIZE + at) * Float.BYTES);
            error += Math.pow(predicted[at] - truth, 2);
            sum += truth;
            squares += truth * truth;
        }
        double variance = (squares - sum * sum / values) / (values - 1);
        boolean normalised = config.objective().target() == Target.NORMALISED;
        return error / values / (normalised ? variance + 1e-6 : 1);
    }

    @Test
    void thePrefixIsWhatIsShown() {
        long[] keys = Models.keys(IMAGES, 8);
        for (Order order : Order.values()) {
            AimConfig config = model(Head.Kind.MLP, Kind.AUTOREGRESSIVE, Target.NORMALISED, order, Attention.PREFIX);
            int[] visited = PatchOrder.of(order, GRID);
            try (Evaluator evaluator = trained(config)) {
                List<PredictedImage> predictions = evaluator.predict(Models.images(config, IMAGES, 7), keys);
                for (int i = 0; i < IMAGES; i++) {
                    PredictedImage prediction = predictions.get(i);
                    int prefix = Prefix.draw(keys[i], GRID * GRID);
                    assertEquals(prefix, prediction.shown());
                    assertTrue(IntStream.range(0, prefix).noneMatch(turn -> prediction.counts(visited[turn])));
                }
            }
        }
    }

    @Test
    void tokensHaveNoPixels() {
        AimConfig config = model(Head.Kind.MLP, Kind.AUTOREGRESSIVE, Target.TOKENS, Order.RASTER, Attention.PREFIX);
        try (Evaluator evaluator = Aim.evaluator(config, Compute.REFERENCE)) {
            var refused = assertThrows(
                    UnsupportedOperationException.class,
                    () -> evaluator.predict(Models.images(config, 1, 1), Models.keys(1, 1)));
            assertEquals("model.objective.target=tokens predicts no pixels", refused.getMessage());
        }
    }

    /** An evaluator of weights that are not even: their predictions differ from patch to patch. */
    private static Evaluator trained(AimConfig config) {
        Evaluator evaluator = Aim.evaluator(config, Compute.REFERENCE);
        try (Replica replica = Aim.replica(config, OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(4);
            ByteBuffer gradient = Models.floats(replica.gradientFloats());
            for (int step = 0; step < 3; step++) {
                LossSum loss = replica.gradients(Models.images(config, 4, step), Models.keys(4, step), gradient);
                replica.update(gradient, loss.patches(), 1e-2);
            }
            evaluator.load(replica.snapshot());
        }
        return evaluator;
    }
}
