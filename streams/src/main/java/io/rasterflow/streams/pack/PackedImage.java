package io.rasterflow.streams.pack;

import java.util.Map;

/**
 * A sample that was looked at and may be packed.
 *
 * @param bytes the encoded image
 * @param extension of its file
 * @param label class, -1 if it has none
 * @param others other files of the sample by extension
 * @param hash SHA-256 of the image as it came
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
record PackedImage(byte[] bytes, String extension, int label, Map<String, byte[]> others, byte[] hash) {}
