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

    private static final int END_MARKER_BYTES = 2;
    private static final int MOST_REDUCED = 8;
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

    /** Where the parts say how many rows there are, u16 big-endian, if that may be changed; else 0. */
    private int heightAt;

    private int rowsAtOnce;

    /**
     * Reads a file's structure without decoding it.
     *
     * @throws DecodeException if it is of another format, or not whole
     */
    void read(byte[] bytes) throws DecodeException {
        head = NOTHING;
        partCount = 0;
        heightAt = 0;
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

    /**
     * Says that the pixels come from top to bottom and that an end marker is the last of the parts, so that a codec may be
     * made to stop early: see {@link #copyTop}.
     *
     * @param heightAt where the parts say how many rows there are, u16 big-endian
     * @param rowsAtOnce rows of pixels that are coded together
     */
    void rowsInOrder(int heightAt, int rowsAtOnce) {
        this.heightAt = heightAt;
        this.rowsAtOnce = rowsAtOnce;
    }

    /** Bytes in all parts so far. */
    int keptBytes() {
        int sum = 0;
        for (int p = 0; p < partCount; p += 2) {
            sum += parts[p + 1] - parts[p];
        }
        return sum;
    }

    /** Bytes in all parts together, as far as a codec needs to see them. */
    int partBytes() {
        return Math.max(keptBytes(), MIN_BYTES);
    }

    /** Rows of the frame that a codec must decode to have those above {@code bottom}; the others only where it can stop. */
    int rowsAbove(int bottom) {
        if (heightAt == 0 || orientation != Orientation.UPRIGHT) {
            return frameHeight;
        }
        // A row depends on the colours of the next, and eight rows of these may be spread over the rows that are coded
        // together.
        int needed = bottom + rowsAtOnce / 4;
        return Math.min(frameHeight, (needed + rowsAtOnce - 1) / rowsAtOnce * rowsAtOnce);
    }

    /**
     * Copies the parts such that a codec stops after as many rows as {@link #rowsAbove} says: the height is changed, and the
     * end marker left out, because libjpeg would search it, and complain of the data that it had to skip.
     *
     * @return bytes of what was copied
     */
    int copyTop(byte[] bytes, int rows, BytePointer target) {
        copyParts(bytes, target);
        if (rows == frameHeight) {
            return partBytes();
        }
        target.position(heightAt).put((byte) (rows >> 8)).position(heightAt + 1).put((byte) rows);
        target.position(0);
        return keptBytes() - END_MARKER_BYTES;
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

    /** Whether the image may be reduced as it is decoded: the pixels of a turned one must not be counted from a ragged edge. */
    boolean reducible() {
        return format == Format.JPEG
                && (orientation == Orientation.UPRIGHT || (width % MOST_REDUCED == 0 && height % MOST_REDUCED == 0));
    }

    ImageHeader header() {
        boolean swapped = orientation.swapsSides();
        return new ImageHeader(format, swapped ? height : width, swapped ? width : height);
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
