package io.rasterflow.streams.pack.source;

import java.io.IOException;
import java.util.Locale;

/**
 * One image to be packed.
 *
 * @param key name of the sample, without a dot; other samples of the source have other keys
 * @param origin where it comes from, as it may be shown: without credentials
 */
public record PackItem(String key, String origin, Loader loader) {

    private static final int MAX_STEM = 80;

    /** Gets the image; runs once, on any thread. */
    @FunctionalInterface
    public interface Loader {
        /**
         * @throws SampleFailure if this image cannot be had
         * @throws IOException the same, by the operating system
         */
        PackSample load() throws SampleFailure, IOException, InterruptedException;
    }

    /** The key {@code NNNNNNNN-STEM}: unique by its number, and a person finds the file again by its name. */
    static String key(long number, String path) {
        String name = path.substring(path.lastIndexOf('/') + 1);
        int dot = name.lastIndexOf('.');
        String stem = (dot > 0 ? name.substring(0, dot) : name).replaceAll("[^A-Za-z0-9_-]", "_");
        String shortened = stem.substring(0, Math.min(MAX_STEM, stem.length()));
        return key(number) + (shortened.isEmpty() ? "" : "-" + shortened);
    }

    static String key(long number) {
        return String.format(Locale.ROOT, "%08d", number);
    }
}
