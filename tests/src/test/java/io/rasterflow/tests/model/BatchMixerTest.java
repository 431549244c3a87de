package io.rasterflow.tests.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.finetune.BatchMixer;
import io.rasterflow.model.finetune.FineTuneConfig;
import io.rasterflow.model.finetune.FineTuneConfig.Kind;
import io.rasterflow.model.finetune.Mix;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Mixing and erasing: labels say what is in the images, and nothing but seed, step and key decides. */
class BatchMixerTest {
    private static final int SIDE = 14;
    private static final int CHANNELS = 3;
    private static final int IMAGE = CHANNELS * SIDE * SIDE;
    private static final int CLASSES = 5;

    private static FineTuneConfig config(
            double mixup, double cutmix, double probability, double smoothing, double erasing) {
        return new FineTuneConfig(
                Kind.FULL,
                8,
                16,
                CLASSES,
                1,
                1,
                2,
                1e-3,
                0,
                1,
                0,
                mixup,
                cutmix,
                probability,
                smoothing,
                erasing,
                0,
                0,
                9);
    }

    /** Every value of image i is i, so that a result tells where it came from. */
    private static ByteBuffer numbered(int count) {
        ByteBuffer images = Models.floats(count * IMAGE);
        for (int i = 0; i < count * IMAGE; i++) {
            images.putFloat(i * Float.BYTES, i / IMAGE);
        }
        return images;
    }

    private static float[] values(ByteBuffer images) {
        float[] values = new float[images.capacity() / Float.BYTES];
        images.duplicate().order(images.order()).rewind().asFloatBuffer().get(values);
        return values;
    }

    private static double sum(float[] values, int from, int count) {
        return IntStream.range(from, from + count).mapToDouble(i -> values[i]).sum();
    }

    @Test
    void labelsSumToOneAndMatchWhatWasMixedIn() {
        BatchMixer mixer = new BatchMixer(config(0.8, 1.0, 0.9, 0, 0), CHANNELS, SIDE);
        int count = 4;
        int[] labels = {0, 1, 2, 3};
        Map<Mix.Kind, Integer> kinds = new EnumMap<>(Mix.Kind.class);
        for (int step = 0; step < 200; step++) {
            BatchMixer.Mixed mixed = mixer.apply(numbered(count), labels, new long[count], step);
            kinds.merge(mixed.mix().kind(), 1, Integer::sum);
            float[] values = values(mixed.images());
            for (int i = 0; i < count; i++) {
                int partner = count - 1 - i;
                assertEquals(1, sum(mixed.targets(), i * CLASSES, CLASSES), 1e-6);
                double own = mixed.targets()[i * CLASSES + labels[i]];
                // Images are constant, so the mean of a result tells the share of each.
                double mean = sum(values, i * IMAGE, IMAGE) / IMAGE;
                assertEquals(
                        own * i + (1 - own) * partner, mean, 1e-5, mixed.mix().toString());
                assertEquals(1 - own, mixed.targets()[i * CLASSES + labels[partner]], 1e-6);
            }
            if (mixed.mix().kind() == Mix.Kind.CUTMIX) {
                long pasted = IntStream.range(0, SIDE * SIDE)
                        .filter(p -> values[p] == 3)
                        .count();
                assertEquals((double) pasted / (SIDE * SIDE), 1 - mixed.mix().share(), 1e-12);
            }
        }
        assertEquals(20, kinds.get(Mix.Kind.NONE), 15);
        assertEquals(90, kinds.get(Mix.Kind.MIXUP), 30);
        assertEquals(90, kinds.get(Mix.Kind.CUTMIX), 30);
    }

    @Test
    void sharesFollowTheBetaDistribution() {
        for (double alpha : new double[] {0.2, 1, 4}) {
            FineTuneConfig config = config(alpha, 0, 1, 0, 0);
            double[] shares = IntStream.range(0, 4000)
                    .mapToDouble(step -> Mix.draw(config, step, SIDE).share())
                    .toArray();
            double mean = Arrays.stream(shares).average().orElseThrow();
            double variance = Arrays.stream(shares)
                    .map(share -> (share - mean) * (share - mean))
                    .average()
                    .orElseThrow();
            assertEquals(0.5, mean, 0.03, "alpha " + alpha);
            assertEquals(1 / (4 * (2 * alpha + 1)), variance, 0.008, "alpha " + alpha);
        }
    }

    @Test
    void smoothedLabelsHaveKnownValues() {
        BatchMixer mixer = new BatchMixer(config(0, 0, 1, 0.1, 0), CHANNELS, SIDE);
        float[] targets =
                mixer.apply(numbered(2), new int[] {1, 4}, new long[2], 0).targets();
        assertArrayEquals(
                new float[] {0.02f, 0.92f, 0.02f, 0.02f, 0.02f, 0.02f, 0.02f, 0.02f, 0.02f, 0.92f}, targets, 1e-7f);
    }

    @Test
    void withoutOptionsImagesPassUnchangedAndTheSourceIsNeverTouched() {
        ByteBuffer images = numbered(3);
        float[] before = values(images);
        int[] labels = {0, 1, 2};
        long[] keys = {1, 2, 3};
        BatchMixer.Mixed plain = new BatchMixer(config(0, 0, 1, 0, 0), CHANNELS, SIDE).apply(images, labels, keys, 0);
        assertArrayEquals(before, values(plain.images()));
        new BatchMixer(config(1, 1, 1, 0.1, 1), CHANNELS, SIDE).apply(images, labels, keys, 0);
        assertArrayEquals(before, values(images));
    }

    @Test
    void erasingDependsOnTheKeyAloneAndLeavesTheRest() {
        BatchMixer mixer = new BatchMixer(config(0, 0, 1, 0, 1), CHANNELS, SIDE);
        int[] labels = {0, 0, 0};
        float[] first =
                values(mixer.apply(numbered(3), labels, new long[] {7, 8, 7}, 0).images());
        float[] again = values(
                mixer.apply(numbered(3), labels, new long[] {7, 8, 7}, 55).images());
        assertArrayEquals(first, again);
        float[] moved =
                values(mixer.apply(numbered(3), labels, new long[] {9, 7, 8}, 0).images());
        for (int i = 0; i < IMAGE; i++) {
            boolean erased = first[i] != 0;
            assertEquals(erased, moved[IMAGE + i] != 1, "value " + i + " of key 7 at another place in the batch");
            if (erased) {
                assertEquals(first[i], moved[IMAGE + i], "value " + i);
            }
        }
        assertFalse(Arrays.equals(Arrays.copyOf(first, IMAGE), Arrays.copyOfRange(first, IMAGE, 2 * IMAGE)));
        long erased = IntStream.range(0, SIDE * SIDE).filter(i -> first[i] != 0).count();
        assertTrue(erased >= 0.01 * SIDE * SIDE && erased <= 0.4 * SIDE * SIDE, erased + " pixels");
        for (int c = 1; c < CHANNELS; c++) {
            for (int i = 0; i < SIDE * SIDE; i++) {
                assertEquals(first[i] != 0, first[c * SIDE * SIDE + i] != 0, "every channel loses the same rectangle");
            }
        }
    }

    @Test
    void erasingHappensAsOftenAsItIsAskedFor() {
        int count = 400;
        BatchMixer mixer = new BatchMixer(config(0, 0, 1, 0, 0.25), CHANNELS, SIDE);
        ByteBuffer black = Models.floats(count * IMAGE);
        float[] values = values(
                mixer.apply(black, new int[count], Models.keys(count, 1), 0).images());
        long erased = IntStream.range(0, count)
                .filter(i -> sum(values, i * IMAGE, IMAGE) != 0)
                .count();
        assertEquals(0.25 * count, erased, 30);
    }

    @Test
    void labelsThatAreMissingOrTooLargeAreNamed() {
        BatchMixer mixer = new BatchMixer(config(0, 0, 1, 0, 0), CHANNELS, SIDE);
        for (int label : new int[] {-1, CLASSES}) {
            String message = assertThrows(
                            IllegalArgumentException.class,
                            () -> mixer.apply(numbered(2), new int[] {0, label}, new long[2], 0))
                    .getMessage();
            assertTrue(message.contains("label"), message);
            assertEquals(1, message.lines().count());
        }
    }
}
