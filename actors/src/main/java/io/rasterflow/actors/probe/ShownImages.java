package io.rasterflow.actors.probe;

import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.batch.Batch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.stream.LongStream;

/**
 * The validation images of which predictions are shown: always the same ones, evenly spaced over the data, with the keys
 * under which the validation loss counts them. They are copied when a validation first goes past them.
 */
final class ShownImages {

    private final long[] positions;
    private final int imageBytes;
    private final ByteBuffer images;
    private final long[] keys;
    private final int[] labels;
    private final BitSet taken = new BitSet();

    /**
     * @param count how many; fewer if there are not so many
     * @param available validation images
     */
    ShownImages(int count, long available, AugmentConfig augment) {
        int shown = (int) Math.min(count, available);
        positions = LongStream.range(0, shown).map(i -> i * available / shown).toArray();
        imageBytes = augment.imageValues() * Float.BYTES;
        images =
                ByteBuffer.allocateDirect(Math.multiplyExact(shown, imageBytes)).order(ByteOrder.nativeOrder());
        keys = new long[shown];
        labels = new int[shown];
    }

    /** Keeps those of a batch that are to be shown. */
    void take(Batch batch) {
        for (int i = 0; i < batch.labels().length && count() == 0; i++) {
            int at = Arrays.binarySearch(positions, batch.positions()[i]);
            if (at >= 0) {
                images.put(at * imageBytes, batch.images(), i * imageBytes, imageBytes);
                keys[at] = batch.keys()[i];
                labels[at] = batch.labels()[i];
                taken.set(at);
            }
        }
    }

    /** Zero until a validation has gone past all of them. */
    int count() {
        return taken.cardinality() == positions.length ? positions.length : 0;
    }

    /** (B, C, H, W) float32, normalised, direct, native order. */
    ByteBuffer images() {
        return images;
    }

    long[] keys() {
        return keys;
    }

    /** -1 for an image that has none. */
    int[] labels() {
        return labels;
    }

    /** A normalised value of an image, by its index in (C, H, W). */
    float value(int image, int index) {
        return images.getFloat(image * imageBytes + index * Float.BYTES);
    }
}
