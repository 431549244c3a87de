package io.rasterflow.streams.format;

/**
 * Where one sample lies in an uncompressed tar.
 *
 * @param key path up to the first dot of the file name
 * @param offset first byte of the image
 * @param length bytes of the image
 * @param label class from {@code KEY.cls}, -1 if there is none
 */
public record SampleEntry(String key, long offset, int length, int label) {

    /** The label of a sample that has none. */
    public static final int NO_LABEL = -1;
}
