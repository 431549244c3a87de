package io.rasterflow.actors.embed;

import io.rasterflow.streams.decode.DecodeException;
import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;

/** Encoded images in a fixed order. Confined to one thread; the contents may be read by others. */
interface EncodedImages extends Closeable {

    /** How many images there are. */
    long size();

    /** The next image; empty at the end. */
    Optional<Image> next() throws IOException;

    /**
     * @param key as it is written beside the features
     * @param name as it stands in messages
     * @param label -1 without one
     */
    record Image(String key, String name, int label, Content content) {}

    /** The bytes of an image, perhaps read only now. */
    @FunctionalInterface
    interface Content {
        byte[] read() throws IOException, DecodeException;
    }
}
