package io.rasterflow.model.aim;

import io.rasterflow.model.PredictedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where the patches that a micro-batch predicts stand in their images.
 *
 * <p>C channels, P patch side, G patches per side, K = G·G patches, N tokens of an image, V = P·P·C values of a patch, R rows.
 */
final class PatchPlaces {
    private final AimConfig config;
    private final int grid;
    /** Raster index of the patch that the objective visits at each turn. */
    private final int[] order;

    PatchPlaces(AimConfig config) {
        this.config = config;
        grid = config.imageSize() / config.patchSize();
        Objective objective = config.objective();
        order = PatchOrder.of(
                objective.kind() == Objective.Kind.MASKED ? Objective.Order.RASTER : objective.order(), grid);
    }

    /**
     * @param pixels (R, V) of every row's patch: row, column, channel, the channel fastest
     * @param losses (R)
     */
    List<PredictedImage> place(Predicted predicted, float[] pixels, float[] losses) {
        int tokens = config.objective().kind() == Objective.Kind.MASKED ? order.length : order.length - 1;
        List<PredictedImage> images = new ArrayList<>();
        for (int image = 0; image < predicted.images(); image++) {
            images.add(new PredictedImage(
                    grid, unknown(config.channels() * config.imageSize() * config.imageSize()), unknown(order.length)));
        }
        for (int row = 0; row < losses.length; row++) {
            PredictedImage image = images.get((int) (predicted.rows()[row] / tokens));
            int patch = order[(int) (predicted.rows()[row] % tokens) + order.length - tokens];
            image.losses()[patch] = losses[row];
            put(pixels, row * config.patchValues(), image.pixels(), patch);
        }
        return images;
    }

    private static float[] unknown(int count) {
        float[] values = new float[count];
        Arrays.fill(values, Float.NaN);
        return values;
    }

    private void put(float[] pixels, int from, float[] image, int patch) {
        int side = config.patchSize();
        int size = config.imageSize();
        int top = patch / grid * side;
        int left = patch % grid * side;
        for (int i = 0; i < config.patchValues(); i++) {
            int channel = i % config.channels();
            int y = top + i / config.channels() / side;
            int x = left + i / config.channels() % side;
            image[(channel * size + y) * size + x] = pixels[from + i];
        }
    }
}
