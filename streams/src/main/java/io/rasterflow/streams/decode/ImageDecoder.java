package io.rasterflow.streams.decode;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.opencv_core.Mat;

/**
 * Decodes PNG and JPEG with OpenCV into 8-bit grey or RGB. Keeps native memory from image to image; confined to one thread
 * at a time; close it to free that memory.
 */
public final class ImageDecoder implements AutoCloseable {

    /** As many pixels as Pillow decodes without a warning: larger claims are taken for decompression bombs. */
    public static final long MAX_PIXELS = 89_478_485L;

    private static final int KEPT_BYTES = 1 << 24;

    static {
        // JavaCPP would refuse to allocate once the resident set of the whole process, tensors included, passes twice
        // the Java heap.
        if (System.getProperty("org.bytedeco.javacpp.maxPhysicalBytes") == null) {
            System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
        }
    }

    private final int channels;
    private BytePointer encoded = new BytePointer(1 << 16);
    private final Mat decoded = new Mat();

    /** @param channels 1 grey, 3 RGB; images are converted */
    public ImageDecoder(int channels) {
        if (channels != 1 && channels != 3) {
            throw new IllegalArgumentException("data.channels must be 1 or 3 but is " + channels);
        }
        this.channels = channels;
    }

    /**
     * Decodes one image. EXIF orientation is not applied, as in Pillow and torchvision.
     *
     * @param bytes a PNG or JPEG file
     * @param into receives (H, W, C) values
     * @throws DecodeException one line, if the image is damaged, of another format or too large
     */
    public void decode(byte[] bytes, Pixels into) throws DecodeException {
        ImageHeader header = ImageHeader.read(bytes);
        long pixels = (long) header.width() * header.height();
        if (pixels > MAX_PIXELS) {
            throw new DecodeException(header.format() + " claims " + header.width() + "x" + header.height()
                    + " pixels, more than the limit of " + MAX_PIXELS);
        }
        if (encoded.capacity() < bytes.length) {
            encoded.close();
            encoded = new BytePointer(Math.max(bytes.length, 2L * encoded.capacity()));
        }
        encoded.position(0).put(bytes, 0, bytes.length);
        int flags = (channels == 1 ? opencv_imgcodecs.IMREAD_GRAYSCALE : opencv_imgcodecs.IMREAD_COLOR_RGB)
                | opencv_imgcodecs.IMREAD_IGNORE_ORIENTATION;
        try (Mat file = new Mat(1, bytes.length, opencv_core.CV_8UC1, encoded);
                Mat result = opencv_imgcodecs.imdecode(file, flags, decoded)) {
            if (result == null || result.empty()) {
                throw new DecodeException(header.format() + " cannot be decoded (" + bytes.length + " bytes)");
            }
            if (result.cols() != header.width() || result.rows() != header.height() || result.channels() != channels) {
                throw new DecodeException(header.format() + " decodes to " + result.cols() + "x" + result.rows()
                        + " but its header says " + header.width() + "x" + header.height());
            }
            into.reset(header.width(), header.height(), channels);
            try (BytePointer data = decoded.data()) {
                data.get(into.values(), 0, (int) pixels * channels);
            }
        } catch (RuntimeException e) {
            throw new DecodeException(header.format() + " cannot be decoded: " + oneLine(e));
        } finally {
            if (pixels * channels > KEPT_BYTES) {
                decoded.release();
            }
        }
    }

    private static String oneLine(RuntimeException e) {
        return String.valueOf(e.getMessage()).strip().lines().findFirst().orElse("unknown cause");
    }

    @Override
    public void close() {
        decoded.close();
        encoded.close();
    }
}
