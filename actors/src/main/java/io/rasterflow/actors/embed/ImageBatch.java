package io.rasterflow.actors.embed;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/**
 * Decoded images of which features are wanted.
 *
 * @param images (B, C, H, W) float32, normalised, direct, native order
 * @param labels B labels, -1 where an image has none
 * @param keys B names
 * @param bad causes, one line each, by index in the batch, of images that could not be decoded; what stands in their
 *     place in {@code images} means nothing
 * @param release gives the memory back
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record ImageBatch(ByteBuffer images, int[] labels, List<String> keys, Map<Integer, String> bad, Runnable release)
        implements AutoCloseable {

    public int size() {
        return labels.length;
    }

    @Override
    public void close() {
        release.run();
    }
}
