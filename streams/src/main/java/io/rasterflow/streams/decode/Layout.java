package io.rasterflow.streams.decode;

import io.rasterflow.streams.decode.ImageHeader.Format;
import java.util.Arrays;
import org.bytedeco.javacpp.BytePointer;

/**
 * What the reader of a format finds in a file: sizes, orientation, and the parts that hold the pixels. Only these parts
 * are handed to the native codec: not the metadata, in which it has nothing to find, nor what stands behind the image.
 * Reused from image to image.
 *
 * <pre>
 *  file   | signature | header | colour profile | thumbnail, EXIF | pixels | comment | pixels | end | anything |
 *  parts  |///////////////////|                                  |////////|         |//////////////|
 * </pre>
 */
final class Layout {

    /** OpenCV looks at this many bytes before it takes a file for WebP; smaller files are filled up with zeros. */
    private static final int MIN_BYTES = 32;

    private static final byte[] NOTHING = {};

    private Format format;
    private int width;
    private int height;
    private int left;
    private int top;
    private int frameWidth;
    private int frameHeight;
    private Orientation orientation = Orientation.UPRIGHT;

    /** Replaces the first bytes of the parts. */
    private byte[] head = NOTHING;

    /** Pairs of first byte and end, exclusive. */
    private int[] parts = new int[16];

    private int partCount;

    /**
     * Reads a file's structure without decoding it.
     *
     * @throws DecodeException if it is of another format, or not whole
     */
    void read(byte[] bytes) throws DecodeException {
        head = NOTHING;
        partCount = 0;
        orientation = Orientation.UPRIGHT;
        if (bytes.length == 0) {
            throw new DecodeException("the image has zero bytes");
        }
        if (JpegHeader.matches(bytes)) {
            format = Format.JPEG;
            JpegHeader.read(bytes, this);
        } else if (PngHeader.matches(bytes)) {
            format = Format.PNG;
            PngHeader.read(bytes, this);
        } else if (WebpHeader.matches(bytes)) {
            format = Format.WEBP;
            WebpHeader.read(bytes, this);
        } else if (GifHeader.matches(bytes)) {
            format = Format.GIF;
            GifHeader gif = GifHeader.read(bytes);
            canvas(gif.width(), gif.height());
        } else {
            throw new DecodeException("neither JPEG, PNG, WebP nor GIF (" + bytes.length + " bytes)");
        }
        if (width < 1 || height < 1) {
            throw new DecodeException(format + " has the size " + width + "x" + height);
        }
    }

    /** Sets the size in pixels as it is stored, and that the pixels fill it. */
    void canvas(int width, int height) {
        this.width = width;
        this.height = height;
        frame(0, 0, width, height);
    }

    /** Sets which part of the canvas the pixels fill; the rest is black. */
    void frame(int left, int top, int width, int height) {
        this.left = left;
        this.top = top;
        this.frameWidth = width;
        this.frameHeight = height;
    }

    void orientation(Orientation orientation) {
        this.orientation = orientation;
    }

    /** Adds the bytes [from, to) to the parts. */
    void keep(int from, int to) {
        if (partCount > 0 && parts[partCount - 1] == from) {
            parts[partCount - 1] = to;
            return;
        }
        if (partCount == parts.length) {
            parts = Arrays.copyOf(parts, 2 * partCount);
        }
        parts[partCount++] = from;
        parts[partCount++] = to;
    }

    /** What the parts shall begin with instead of their first bytes. */
    void head(byte[] bytes) {
        head = bytes;
    }

    /** Bytes in all parts together, as far as a codec needs to see them. */
    int partBytes() {
        int sum = 0;
        for (int p = 0; p < partCount; p += 2) {
            sum += parts[p + 1] - parts[p];
        }
        return Math.max(sum, MIN_BYTES);
    }

    /** Copies the parts, one after the other. */
    void copyParts(byte[] bytes, BytePointer target) {
        int at = 0;
        for (int p = 0; p < partCount; p += 2) {
            int length = parts[p + 1] - parts[p];
            target.position(at).put(bytes, parts[p], length);
            at += length;
        }
        while (at < MIN_BYTES) {
            target.position(at++).put((byte) 0);
        }
        target.position(0).put(head, 0, head.length);
    }

    Format format() {
        return format;
    }

    /** Pixels of the canvas, before any is decoded. */
    long pixels() {
        return (long) width * height;
    }

    /** Width of the canvas as it is stored. */
    int width() {
        return width;
    }

    /** Height of the canvas as it is stored. */
    int height() {
        return height;
    }

    int left() {
        return left;
    }

    int top() {
        return top;
    }

    int frameWidth() {
        return frameWidth;
    }

    int frameHeight() {
        return frameHeight;
    }

    /** Whether pixels fill the whole canvas. */
    boolean filled() {
        return frameWidth == width && frameHeight == height;
    }

    Orientation orientation() {
        return orientation;
    }
}
