package io.rasterflow.streams.pack;

import io.rasterflow.streams.augment.BicubicResampler;
import io.rasterflow.streams.augment.CropBox;
import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.ImageHeader;
import io.rasterflow.streams.decode.Pixels;
import io.rasterflow.streams.pack.source.Digests;
import io.rasterflow.streams.pack.source.PackSample;
import java.util.Locale;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.opencv_core.Mat;

/** Looks whether an image is whole, and makes large ones smaller; used by one thread at a time. */
final class ImageCheck implements AutoCloseable {

    private static final int JPEG_QUALITY = 95;

    private final boolean decode;
    private final int shorterSide;
    private final ImageDecoder decoder = new ImageDecoder(3);
    private final BicubicResampler resampler = new BicubicResampler();
    private final Pixels pixels = new Pixels();
    private final Pixels smaller = new Pixels();

    /** @param shorterSide longer ones become this; 0 to leave images as they are */
    ImageCheck(boolean decode, int shorterSide) {
        this.decode = decode;
        this.shorterSide = shorterSide;
    }

    /**
     * @throws DecodeException one line, if it is no image that training could read
     */
    PackedImage check(PackSample sample) throws DecodeException {
        byte[] image = sample.image();
        ImageHeader header = ImageHeader.read(image);
        String extension = extension(header.format());
        byte[] hash = Digests.sha256().digest(image);
        if (decode) {
            decoder.decode(image, pixels);
            int shorter = Math.min(pixels.width(), pixels.height());
            if (shorterSide > 0 && shorter > shorterSide) {
                image = resized((double) shorterSide / shorter);
                extension = extension(ImageHeader.Format.JPEG);
            }
        }
        return new PackedImage(image, extension, sample.label(), sample.others(), hash);
    }

    private static String extension(ImageHeader.Format format) {
        return format == ImageHeader.Format.JPEG ? "jpg" : format.name().toLowerCase(Locale.ROOT);
    }

    private byte[] resized(double scale) throws DecodeException {
        int width = (int) Math.max(1, Math.round(pixels.width() * scale));
        int height = (int) Math.max(1, Math.round(pixels.height() * scale));
        CropBox whole = new CropBox(0, 0, pixels.width(), pixels.height());
        resampler.resample(pixels, whole, width, height, smaller);
        return encode(smaller, ".jpg", opencv_imgcodecs.IMWRITE_JPEG_QUALITY, JPEG_QUALITY);
    }

    /** RGB pixels as a file. */
    static byte[] encode(Pixels image, String extension, int... parameters) throws DecodeException {
        int count = image.width() * image.height() * 3;
        byte[] bgr = new byte[count];
        for (int i = 0; i < count; i += 3) {
            bgr[i] = image.values()[i + 2];
            bgr[i + 1] = image.values()[i + 1];
            bgr[i + 2] = image.values()[i];
        }
        try (BytePointer data = new BytePointer(bgr);
                Mat mat = new Mat(image.height(), image.width(), opencv_core.CV_8UC3, data);
                BytePointer out = new BytePointer();
                IntPointer settings = new IntPointer(parameters)) {
            if (!opencv_imgcodecs.imencode(extension, mat, out, settings)) {
                throw new DecodeException("an image of " + image.width() + "x" + image.height() + " cannot be encoded");
            }
            byte[] encoded = new byte[(int) out.limit()];
            out.get(encoded);
            return encoded;
        }
    }

    @Override
    public void close() {
        decoder.close();
    }
}
