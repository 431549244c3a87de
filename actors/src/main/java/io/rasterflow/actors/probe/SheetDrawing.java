package io.rasterflow.actors.probe;

import io.rasterflow.model.PredictedImage;
import io.rasterflow.monitoring.images.Sheet;
import io.rasterflow.streams.augment.AugmentConfig;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * Draws what a model predicts of some images.
 *
 * <pre>
 *   SIZE     GAP  SIZE     GAP  SIZE         GAP  SIZE
 *   truth         shown         predicted         error
 *   the image     what the      what it makes     loss of every patch, black 0,
 *                 model sees    of the rest       pale yellow {@link #WORST} or more
 * </pre>
 *
 * <p>Transparent where there is nothing: patches that were not shown, and in the last panel those that were. In the third
 * these are the true ones, faint.
 */
final class SheetDrawing {

    /** What the mean of a patch, as its prediction, comes to where targets are normalised. */
    static final double WORST = 1;

    private static final List<String> PANELS = List.of("truth", "shown", "predicted", "error");
    private static final int GAP = 2;
    private static final int SOLID = 255;
    private static final int FAINT = 80;

    /** Colours of losses from 0 to {@link #WORST}, of even steps and ascending lightness (Matplotlib's inferno). */
    private static final int[] HEAT = {0x000004, 0x57106E, 0xBC3754, 0xF98E09, 0xFCFFA4};

    private final AugmentConfig augment;
    private final ShownImages images;
    private final List<PredictedImage> predictions;
    private final BufferedImage picture;

    /** @param predictions of the images, in their order */
    SheetDrawing(AugmentConfig augment, ShownImages images, List<PredictedImage> predictions) {
        this.augment = augment;
        this.images = images;
        this.predictions = predictions;
        int cell = augment.size() + GAP;
        picture = new BufferedImage(
                cell * PANELS.size() - GAP, cell * predictions.size() - GAP, BufferedImage.TYPE_INT_ARGB);
    }

    /** What is on it. */
    Sheet about(long step) {
        List<Sheet.Image> rows = new ArrayList<>();
        for (int i = 0; i < predictions.size(); i++) {
            PredictedImage prediction = predictions.get(i);
            List<Double> losses = new ArrayList<>();
            for (float loss : prediction.losses()) {
                losses.add(finite(loss));
            }
            rows.add(new Sheet.Image(images.label(i), prediction.shown(), finite(prediction.loss()), losses));
        }
        return new Sheet(step, PANELS, augment.size(), GAP, predictions.get(0).grid(), WORST, rows);
    }

    private static Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }

    /** A PNG file. */
    byte[] draw() throws IOException {
        for (int i = 0; i < predictions.size(); i++) {
            draw(i, predictions.get(i));
        }
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(png)) {
            ImageIO.write(picture, "png", out);
        }
        return png.toByteArray();
    }

    private void draw(int row, PredictedImage prediction) {
        int size = augment.size();
        int side = size / prediction.grid();
        IntToDoubleFunction truth = index -> images.value(row, index);
        IntToDoubleFunction predicted = index -> prediction.pixels()[index];
        for (int y = 0; y < size; y++) {
            for (int x = 0; x < size; x++) {
                int patch = y / side * prediction.grid() + x / side;
                boolean counts = prediction.counts(patch);
                int pixel = y * size + x;
                int real = colour(truth, pixel, SOLID);
                set(0, row, x, y, real);
                set(1, row, x, y, counts ? 0 : real);
                set(2, row, x, y, counts ? colour(predicted, pixel, SOLID) : colour(truth, pixel, FAINT));
                set(3, row, x, y, counts ? heat(prediction.losses()[patch]) : 0);
            }
        }
    }

    private void set(int panel, int row, int x, int y, int colour) {
        int cell = augment.size() + GAP;
        picture.setRGB(panel * cell + x, row * cell + y, colour);
    }

    /** Undoes the normalisation of the input. */
    private int colour(IntToDoubleFunction values, int pixel, int alpha) {
        int colour = alpha;
        int plane = augment.size() * augment.size();
        for (int i = 0; i < 3; i++) {
            int channel = Math.min(i, augment.channels() - 1);
            double value = values.applyAsDouble(channel * plane + pixel)
                            * augment.std().get(channel)
                    + augment.mean().get(channel);
            colour = (colour << 8) | (int) Math.round(255 * Math.max(0, Math.min(1, value)));
        }
        return colour;
    }

    private static int heat(double loss) {
        double place = Math.max(0, Math.min(1, loss / WORST)) * (HEAT.length - 1);
        int lower = Math.min(HEAT.length - 2, (int) place);
        int colour = SOLID;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int from = (HEAT[lower] >> shift) & 0xFF;
            int to = (HEAT[lower + 1] >> shift) & 0xFF;
            colour = (colour << 8) | (int) Math.round(from + (place - lower) * (to - from));
        }
        return colour;
    }
}
