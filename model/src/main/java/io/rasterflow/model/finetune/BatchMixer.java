package io.rasterflow.model.finetune;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Turns images and labels into what a fine-tuning step learns from: random erasing of single images, then mixup or
 * cutmix of the batch, and soft targets to match. A pure function of (seed, step, keys).
 *
 * <p>B images, C channels, L classes. The result's memory is overwritten by the next call.
 */
public final class BatchMixer {
    private final FineTuneConfig config;
    private final int channels;
    private final int side;
    private float[] values = new float[0];
    private ByteBuffer mixed = ByteBuffer.allocateDirect(0);

    /**
     * @param channels C of the images
     * @param side of the square images in pixels
     */
    public BatchMixer(FineTuneConfig config, int channels, int side) {
        this.config = config;
        this.channels = channels;
        this.side = side;
    }

    /**
     * What a step learns from.
     *
     * @param images (B, C, H, W) float32 direct native order
     * @param targets (B, L) row-major; every row sums to 1
     * @param mix how the batch was mixed
     */
    public record Mixed(ByteBuffer images, float[] targets, Mix mix) {}

    /**
     * @param images (B, C, H, W) float32 direct native order; not modified
     * @param labels B labels
     * @param keys B random keys, a pure function of (seed, epoch, sample)
     * @param step counts from the start of the fine-tuning
     * @throws IllegalArgumentException if a label is missing or not below finetune.classes
     */
    public Mixed apply(ByteBuffer images, int[] labels, long[] keys, long step) {
        requireLabels(labels, config.classes());
        int imageValues = channels * side * side;
        int floats = Math.multiplyExact(labels.length, imageValues);
        if (values.length != floats) {
            values = new float[floats];
            mixed = ByteBuffer.allocateDirect(Math.multiplyExact(floats, Float.BYTES))
                    .order(ByteOrder.nativeOrder());
        }
        images.duplicate().order(images.order()).rewind().asFloatBuffer().get(values);
        if (config.erasing() > 0) {
            for (int i = 0; i < labels.length; i++) {
                Erasing.apply(config.erasing(), keys[i], values, i * imageValues, channels, side);
            }
        }
        Mix mix = Mix.draw(config, step, side);
        for (int i = 0; i < labels.length / 2; i++) {
            int one = i * imageValues;
            int other = (labels.length - 1 - i) * imageValues;
            switch (mix.kind()) {
                case NONE -> {}
                case MIXUP -> blend(one, other, imageValues, (float) mix.share());
                case CUTMIX -> swap(one, other, mix);
            }
        }
        mixed.asFloatBuffer().put(values);
        return new Mixed(mixed, targets(labels, mix), mix);
    }

    /** Refuses labels that no class stands for. */
    static void requireLabels(int[] labels, int classes) {
        for (int label : labels) {
            if (label < 0) {
                throw new IllegalArgumentException(
                        "an image has no label; fine-tuning needs shards with a .cls entry for every image");
            }
            if (label >= classes) {
                throw new IllegalArgumentException("label " + label + " is outside 0.." + (classes - 1)
                        + "; set finetune.classes to fit the data");
            }
        }
    }

    private void blend(int one, int other, int imageValues, float share) {
        for (int j = 0; j < imageValues; j++) {
            float a = values[one + j];
            float b = values[other + j];
            values[one + j] = share * a + (1 - share) * b;
            values[other + j] = share * b + (1 - share) * a;
        }
    }

    /** Partners take the same rectangle of each other, so it changes places. */
    private void swap(int one, int other, Mix mix) {
        for (int c = 0; c < channels; c++) {
            for (int y = mix.top(); y < mix.bottom(); y++) {
                int row = (c * side + y) * side;
                for (int x = row + mix.left(); x < row + mix.right(); x++) {
                    float kept = values[one + x];
                    values[one + x] = values[other + x];
                    values[other + x] = kept;
                }
            }
        }
    }

    /** Rows of smoothed labels, mixed as the images are. */
    private float[] targets(int[] labels, Mix mix) {
        int classes = config.classes();
        double spread = config.labelSmoothing() / classes;
        double sure = 1 - config.labelSmoothing();
        float[] targets = new float[labels.length * classes];
        for (int i = 0; i < labels.length; i++) {
            int partner = labels[labels.length - 1 - i];
            for (int c = 0; c < classes; c++) {
                double own = c == labels[i] ? mix.share() : 0;
                double taken = c == partner ? 1 - mix.share() : 0;
                targets[i * classes + c] = (float) (spread + sure * (own + taken));
            }
        }
        return targets;
    }
}
