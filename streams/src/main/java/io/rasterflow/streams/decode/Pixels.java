package io.rasterflow.streams.decode;

/**
 * An image of 8-bit values (H, W, C), channel fastest, RGB order. Reused from image to image: the array may be longer
 * than the image.
 */
public final class Pixels {

    /** An array that an unusually large image made longer than this is given up when the next one needs less. */
    private static final int KEPT_VALUES = ImageDecoder.KEPT_BYTES;

    private static final byte[] NOTHING = {};

    private byte[] values = NOTHING;
    private int width;
    private int height;
    private int channels;

    /** Makes room for an image; the values are undefined afterwards. */
    public Pixels reset(int width, int height, int channels) {
        int needed = Math.multiplyExact(Math.multiplyExact(width, height), channels);
        if (values.length < needed || values.length > Math.max(needed, KEPT_VALUES)) {
            values = NOTHING; // the old array may go before the new one comes
            values = new byte[needed];
        }
        this.width = width;
        this.height = height;
        this.channels = channels;
        return this;
    }

    /** The first H·W·C values are the image. */
    public byte[] values() {
        return values;
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    public int channels() {
        return channels;
    }

    /** Bytes that are kept for the next image. */
    public int capacity() {
        return values.length;
    }
}
