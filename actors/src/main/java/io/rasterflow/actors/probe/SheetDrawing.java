package io.rasterflow.actors.probe;

import io.rasterflow.model.PredictedImage;
import io.rasterflow.model.probe.AttentionMap;
import io.rasterflow.monitoring.images.Sheet;
import io.rasterflow.streams.augment.AugmentConfig;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * Draws what a model predicts of some images.
 *
 * <pre>
 *   SIZE     GAP  SIZE     GAP  SIZE         GAP  SIZE                           GAP  SIZE, one for every attentive probe
 *   truth         shown         predicted         error                              attention
 *   the image     what the      what it makes     loss of every patch, black 0,      where an attentive probe looks, mean of
 *                 model sees    of the rest       pale yellow {@link #WORST} or more            its heads: black 0, pale yellow the most
 * </pre>
 *
 * <p>Transparent where there is nothing: patches that were not shown, and in the fourth panel those that were. In the third
 * these are the true ones, faint. A probe's panel is named for the labelled set that it learned from.
 */
final class SheetDrawing {

    /** What the mean of a patch, as its prediction, comes to where targets are normalised. */
    static final double WORST = 1;

    private static final List<String> PANELS = List.of("truth", "shown", "predicted", "error");
    private static final String ATTENTION = "attention";
    private static final int GAP = 2;
    private static final int SOLID = 255;
    private static final int FAINT = 80;

    /** Colours of shares from 0 to 1, of even steps and ascending lightness (Matplotlib's inferno). */
    private static final int[] HEAT = {0x000004, 0x57106E, 0xBC3754, 0xF98E09, 0xFCFFA4};

    private final AugmentConfig augment;
    private final ShownImages images;
    private final List<PredictedImage> predictions;
    private final Map<String, List<AttentionMap>> attention;
    private final List<String> panels;
    private final BufferedImage picture;

    /**
     * @param predictions of the images, in their order
     * @param attention where probes look in them, in their order, by the set that a probe learned from, "" for the run's own
     */
    SheetDrawing(
            AugmentConfig augment,
            ShownImages images,
            List<PredictedImage> predictions,
            Map<String, List<AttentionMap>> attention) {
        this.augment = augment;
        this.images = images;
        this.predictions = predictions;
        this.attention = attention;
        panels = new ArrayList<>(PANELS);
        attention.keySet().forEach(set -> panels.add(set.isEmpty() ? ATTENTION : ATTENTION + " " + set));
        int cell = augment.size() + GAP;
        picture = new BufferedImage(
                cell * panels.size() - GAP, cell * predictions.size() - GAP, BufferedImage.TYPE_INT_ARGB);
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
            rows.add(new Sheet.Image(
                    images.labels()[i], prediction.shown(), finite(prediction.loss()), losses, attention(i)));
        }
        return new Sheet(step, panels, augment.size(), GAP, predictions.get(0).grid(), WORST, rows);
    }

    private List<Sheet.Attention> attention(int image) {
        return attention.entrySet().stream()
                .map(probe -> new Sheet.Attention(
                        probe.getKey(), heads(probe.getValue().get(image))))
                .toList();
    }

    /** In as few digits as tell the numbers apart. */
    private static List<List<Double>> heads(AttentionMap map) {
        List<List<Double>> heads = new ArrayList<>();
        for (int head = 0; head < map.heads(); head++) {
            List<Double> patches = new ArrayList<>();
            for (int patch = 0; patch < map.patches(); patch++) {
                patches.add(Double.valueOf(Float.toString(map.weight(head, patch))));
            }
            heads.add(patches);
        }
        return heads;
    }

    private static Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }

    /** A PNG file. */
    byte[] draw() throws IOException {
        for (int i = 0; i < predictions.size(); i++) {
            draw(i, predictions.get(i));
            int panel = PANELS.size();
            for (List<AttentionMap> maps : attention.values()) {
                drawAttention(panel++, i, maps.get(i), predictions.get(i).grid());
            }
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
                set(3, row, x, y, counts ? heat(prediction.losses()[patch] / WORST) : 0);
            }
        }
    }

    private void drawAttention(int panel, int row, AttentionMap map, int grid) {
        int side = augment.size() / grid;
        double most =
                IntStream.range(0, map.patches()).mapToDouble(map::mean).max().orElse(1);
        for (int y = 0; y < augment.size(); y++) {
            for (int x = 0; x < augment.size(); x++) {
                set(panel, row, x, y, heat(map.mean(y / side * grid + x / side) / most));
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

    /** @param share of what has the last colour */
    private static int heat(double share) {
        double place = Math.max(0, Math.min(1, share)) * (HEAT.length - 1);
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
