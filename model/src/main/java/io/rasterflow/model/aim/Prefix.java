package io.rasterflow.model.aim;

/** The prefix length S of an image (section 3.2): drawn uniformly, so that every patch is predicted from any context. */
public final class Prefix {
    private static final long PURPOSE = 0x5072656669780000L;

    private Prefix() {}

    /**
     * A pure function of the image's key.
     *
     * @param patches K, at least 2
     * @return uniform in 1..K-1
     */
    public static int draw(long sampleKey, int patches) {
        long bits = Mixer.mix(sampleKey ^ PURPOSE, 0) >>> 33;
        return 1 + (int) ((bits * (patches - 1)) >>> 31);
    }
}
