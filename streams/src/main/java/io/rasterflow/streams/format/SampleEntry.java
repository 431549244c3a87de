package io.rasterflow.streams.format;

/**
 * Where one sample lies in an uncompressed tar, or which file of a folder it is.
 *
 * @param key path up to the first dot of the file name, made harmless; in a folder the path of the file below it
 * @param offset first byte of the image
 * @param length bytes of the image
 * @param label class, see {@link LabelRule}; -1 if there is none
 */
public record SampleEntry(String key, long offset, int length, int label) {

    /** The label of a sample that has none. */
    public static final int NO_LABEL = -1;
}
