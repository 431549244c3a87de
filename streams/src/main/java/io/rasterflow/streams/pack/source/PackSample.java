package io.rasterflow.streams.pack.source;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The content of a sample.
 *
 * @param image the encoded image
 * @param label class, -1 if it has none
 * @param others other files of the sample by extension, such as {@code txt} and {@code json}, in their order
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record PackSample(byte[] image, int label, Map<String, byte[]> others) {

    /** The label of a sample that has none. */
    public static final int NO_LABEL = -1;

    public PackSample {
        others = Collections.unmodifiableMap(new LinkedHashMap<>(others));
    }

    /** An image and nothing but a label. */
    public PackSample(byte[] image, int label) {
        this(image, label, Map.of());
    }
}
