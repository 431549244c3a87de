package io.rasterflow.streams.decode;

import java.util.Objects;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.Scalar;

/**
 * Decodes JPEG, PNG, WebP and GIF into upright 8-bit grey or RGB, with the values of Pillow's {@code
 * ImageOps.exif_transpose(image).convert(…)}. Keeps native memory from image to image; confined to one thread at a time; close
 * it to free that memory.
 *
 * <ul>
 *   <li>Orientation: EXIF of JPEG, PNG and WebP is applied; XMP, and EXIF that is damaged, are not looked at.
 *   <li>Alpha and transparent colours are dropped, not blended. Profiles and gamma are not applied.
 *   <li>16-bit PNG: the high byte. Pillow takes it in colour but clips grey to 255, which makes almost all of it white.
 *   <li>Animations: the first frame on the canvas; of an animated PNG, the default image.
 *   <li>Equal to Pillow value for value, but for: CMYK and YCCK (rounded otherwise, by 2 at most; inverted, as Adobe writes it,
 *       whether or not the file says so), JPEG in colour to grey (its own luma instead of one computed from RGB; mean
 *       difference below 1), and rare ties of other colour to grey (by 1).
 * </ul>
 *
 * <p>Memory while an image is decoded: 3 native bytes a pixel, as many again if it must be turned, 6 more for a progressive
 * JPEG's coefficients, up to 5 more inside of other codecs. Between images, at most {@link #KEPT_BYTES} of each buffer.
 *
 * <p>Of a JPEG in a single scan only the rows that are needed are decoded, and damage below them is not seen.
 *
 * <p>JPEG and PNG that are damaged behind their headers make libjpeg and libpng write a line to the process's standard error;
 * OpenCV gives no way to turn that off. A JPEG damaged there counts as readable, in Pillow too, if its end is in place.
 */
public final class ImageDecoder implements AutoCloseable {

    /** As many pixels as Pillow decodes without a warning: larger claims are taken for decompression bombs. */
    public static final long MAX_PIXELS = 89_478_485L;

    /** Buffers that an unusually large image made larger than this are given back. */
    public static final int KEPT_BYTES = 1 << 24;

    private static final long MOST_PIXELS = (Integer.MAX_VALUE - 8) / 3;
    private static final int FIRST_BYTES = 1 << 16;

    static {
        // JavaCPP would refuse to allocate once the resident set of the whole process, tensors included, passes twice
        // the Java heap.
        if (System.getProperty("org.bytedeco.javacpp.maxPhysicalBytes") == null) {
            System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
        }
    }

    private final int channels;
    private final long maxPixels;
    private final Layout layout = new Layout();
    private final GifDecoder gif = new GifDecoder();
    private final SmallPng smallPng = new SmallPng();
    private final Grey grey = new Grey();
    private final Mat decoded = new Mat();
    private final Mat converted = new Mat();
    private final Mat placed = new Mat();
    private final Mat turned = new Mat();
    private BytePointer encoded = new BytePointer(FIRST_BYTES);
    private byte[] opened;

    /** As {@link #ImageDecoder(int, long)} with {@link #MAX_PIXELS}. */
    public ImageDecoder(int channels) {
        this(channels, MAX_PIXELS);
    }

    /**
     * @param channels 1 grey, 3 RGB; images are converted
     * @param maxPixels an image that claims more is refused before anything is allocated for it
     */
    public ImageDecoder(int channels, long maxPixels) {
        if (channels != 1 && channels != 3) {
            throw new IllegalArgumentException("data.channels must be 1 or 3 but is " + channels);
        }
        if (maxPixels < 1 || maxPixels > MOST_PIXELS) {
            throw new IllegalArgumentException(
                    "data.maxPixels must be between 1 and " + MOST_PIXELS + " but is " + maxPixels);
        }
        this.channels = channels;
        this.maxPixels = maxPixels;
    }

    /**
     * Decodes one image.
     *
     * @param bytes a JPEG, PNG, WebP or GIF file
     * @param into receives (H, W, C) values
     * @throws DecodeException one line, if the image is damaged, of another format or too large
     */
    public void decode(byte[] bytes, Pixels into) throws DecodeException {
        ImageHeader header = open(bytes);
        decode(header.height(), 1, into);
    }

    /**
     * Reads what an image says of itself before anything is decoded, and keeps hold of its bytes for {@link #decode(int, int,
     * Pixels)}.
     *
     * @throws DecodeException one line, if the image is cut short, of another format or too large
     */
    public ImageHeader open(byte[] bytes) throws DecodeException {
        opened = null;
        layout.read(bytes);
        if (layout.pixels() > maxPixels) {
            throw new DecodeException(layout.format() + " claims " + layout.width() + "x" + layout.height()
                    + " pixels, more than the limit of " + maxPixels);
        }
        opened = bytes;
        return layout.header();
    }

    /**
     * Decodes what is needed of the image that was opened last, which can be decoded once. A JPEG may be reduced as it is
     * decoded, which saves most of the time; that is close to the mean of the pixels, but not equal to it.
     *
     * @param bottom rows from here on are not needed; they may be missing
     * @param mostReduction 1, 2, 4 or 8: how many pixels in a row or column may become one
     * @param into receives (H, W, C) values
     * @return how many pixels in a row or column became one; of those at the right and lower edge, some may be missing
     * @throws DecodeException one line, if what is needed of the image is damaged
     */
    public int decode(int bottom, int mostReduction, Pixels into) throws DecodeException {
        byte[] bytes = Objects.requireNonNull(opened, "no image is open");
        opened = null;
        int reduction = layout.reducible() ? mostReduction : 1;
        try {
            if (layout.format() == ImageHeader.Format.GIF) {
                gif.decode(bytes, channels, into);
            } else if (!smallPng.decode(bytes, layout, channels, into)) {
                copy(upright(wholeCanvas(inChannels(decodeFrame(bytes, layout.rowsAbove(bottom), reduction)))), into);
            }
            return reduction;
        } catch (RuntimeException e) {
            throw new DecodeException(layout.format() + " cannot be decoded: " + oneLine(e));
        } finally {
            releaseLarge();
        }
    }

    /** The frame as it is stored: RGB; grey; or blue, green, red that become grey. */
    private Mat decodeFrame(byte[] bytes, int rows, int reduction) throws DecodeException {
        int length = layout.partBytes();
        if (encoded.capacity() < length) {
            encoded.close();
            encoded = new BytePointer(Math.max(length, Math.min(2L * encoded.capacity(), KEPT_BYTES)));
        }
        int used = layout.copyTop(bytes, rows, encoded);
        try (Mat file = new Mat(1, used, opencv_core.CV_8UC1, encoded);
                Mat result = opencv_imgcodecs.imdecode(file, flags() | reducedFlag(reduction), decoded)) {
            if (result == null || result.empty()) {
                throw new DecodeException(layout.format() + " cannot be decoded (" + bytes.length + " bytes)");
            }
            int width = (layout.frameWidth() + reduction - 1) / reduction;
            int height = (rows + reduction - 1) / reduction;
            if (result.cols() != width || result.rows() != height) {
                throw new DecodeException(layout.format() + " decodes to " + result.cols() + "x" + result.rows()
                        + " but its header says " + width + "x" + height);
            }
        }
        return decoded;
    }

    /** JPEG has its grey ready, and is spared the colours; the other formats are converted by {@link Grey}. */
    private int flags() {
        int colours = opencv_imgcodecs.IMREAD_COLOR_RGB;
        if (channels == 1) {
            colours = layout.format() == ImageHeader.Format.JPEG
                    ? opencv_imgcodecs.IMREAD_GRAYSCALE
                    : opencv_imgcodecs.IMREAD_ANYCOLOR;
        }
        return colours | opencv_imgcodecs.IMREAD_IGNORE_ORIENTATION;
    }

    private static int reducedFlag(int reduction) {
        return switch (reduction) {
            case 1 -> 0;
            case 2 -> opencv_imgcodecs.IMREAD_REDUCED_GRAYSCALE_2;
            case 4 -> opencv_imgcodecs.IMREAD_REDUCED_GRAYSCALE_4;
            case 8 -> opencv_imgcodecs.IMREAD_REDUCED_GRAYSCALE_8;
            default -> throw new IllegalArgumentException("an image cannot be reduced by " + reduction);
        };
    }

    private Mat inChannels(Mat image) {
        if (image.channels() == channels) {
            return image;
        }
        grey.convert(image, converted);
        return converted;
    }

    /** An animation's first frame may be smaller than its canvas, which is black. */
    private Mat wholeCanvas(Mat frame) {
        if (layout.filled()) {
            return frame;
        }
        int right = layout.width() - layout.left() - layout.frameWidth();
        int bottom = layout.height() - layout.top() - layout.frameHeight();
        try (Scalar black = new Scalar(0.0)) {
            opencv_core.copyMakeBorder(
                    frame, placed, layout.top(), bottom, layout.left(), right, opencv_core.BORDER_CONSTANT, black);
        }
        return placed;
    }

    private Mat upright(Mat stored) {
        if (layout.orientation() == Orientation.UPRIGHT) {
            return stored;
        }
        layout.orientation().upright(stored, turned);
        return turned;
    }

    private void copy(Mat image, Pixels into) {
        into.reset(image.cols(), image.rows(), channels);
        try (BytePointer data = image.data()) {
            data.get(into.values(), 0, image.cols() * image.rows() * channels);
        }
    }

    private void releaseLarge() {
        if (layout.pixels() > KEPT_BYTES / 3) {
            decoded.release();
            converted.release();
            placed.release();
            turned.release();
        }
        if (encoded.capacity() > KEPT_BYTES) {
            encoded.close();
            encoded = new BytePointer(FIRST_BYTES);
        }
    }

    private static String oneLine(RuntimeException e) {
        return String.valueOf(e.getMessage()).strip().lines().findFirst().orElse("unknown cause");
    }

    @Override
    public void close() {
        decoded.close();
        converted.close();
        placed.close();
        turned.close();
        grey.close();
        smallPng.close();
        encoded.close();
    }
}
