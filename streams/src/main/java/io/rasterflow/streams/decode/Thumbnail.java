package io.rasterflow.streams.decode;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * A small picture of an image, made anew from its pixels, so that nothing else of its file comes along. Of a JPEG, PNG or GIF
 * that is damaged it shows the part that can still be decoded; what is missing is black or grey.
 */
public final class Thumbnail {

    /** Pixels of the longer side, at most. */
    public static final int SIDE = 64;

    /** An image that claims more is not worth the time. */
    private static final long MAX_PIXELS = 1L << 24;

    private static final Set<String> SALVAGED = Set.of("jpeg", "png", "gif");

    private Thumbnail() {}

    /**
     * The picture as a PNG of RGB values.
     *
     * @param encoded any bytes
     * @return empty where nothing of them can be decoded
     */
    public static Optional<byte[]> png(byte[] encoded) {
        try (ImageDecoder decoder = new ImageDecoder(3, MAX_PIXELS)) {
            Pixels pixels = new Pixels();
            decoder.decode(encoded, pixels);
            return Optional.of(png(shrunk(pixels)));
        } catch (DecodeException e) {
            return salvaged(encoded).map(Thumbnail::png);
        }
    }

    /** Means over boxes; an image that is small enough stays as it is. */
    private static BufferedImage shrunk(Pixels pixels) {
        double scale = Math.max(1, Math.max(pixels.width(), pixels.height()) / (double) SIDE);
        int width = Math.max(1, (int) Math.round(pixels.width() / scale));
        int height = Math.max(1, (int) Math.round(pixels.height() / scale));
        BufferedImage small = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                small.setRGB(x, y, mean(pixels, x, y, width, height));
            }
        }
        return small;
    }

    private static int mean(Pixels pixels, int x, int y, int width, int height) {
        int left = x * pixels.width() / width;
        int right = Math.max(left + 1, (x + 1) * pixels.width() / width);
        int top = y * pixels.height() / height;
        int bottom = Math.max(top + 1, (y + 1) * pixels.height() / height);
        int rgb = 0;
        for (int channel = 0; channel < 3; channel++) {
            long sum = 0;
            for (int row = top; row < bottom; row++) {
                for (int column = left; column < right; column++) {
                    sum += pixels.values()[3 * (row * pixels.width() + column) + channel] & 0xFF;
                }
            }
            rgb = rgb << 8 | (int) (sum / ((long) (right - left) * (bottom - top)));
        }
        return rgb;
    }

    /** Readers of the JDK give what they decoded before they failed; ours refuse such files. */
    private static Optional<BufferedImage> salvaged(byte[] encoded) {
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(encoded))) {
            for (Iterator<ImageReader> readers = ImageIO.getImageReaders(in); readers.hasNext(); ) {
                ImageReader reader = readers.next();
                try {
                    if (SALVAGED.contains(reader.getFormatName().toLowerCase(Locale.ROOT))) {
                        reader.setInput(in, true, true);
                        return salvaged(reader);
                    }
                } finally {
                    reader.dispose();
                }
            }
            return Optional.empty();
        } catch (IOException | RuntimeException e) {
            return Optional.empty(); // Not even its size can be told.
        }
    }

    private static Optional<BufferedImage> salvaged(ImageReader reader) throws IOException {
        int width = reader.getWidth(0);
        int height = reader.getHeight(0);
        if ((long) width * height > MAX_PIXELS) {
            return Optional.empty();
        }
        int step = Math.max(1, (Math.max(width, height) + SIDE - 1) / SIDE);
        BufferedImage found = reader.getImageTypes(0)
                .next()
                .createBufferedImage((width + step - 1) / step, (height + step - 1) / step);
        ImageReadParam part = new ImageReadParam();
        part.setSourceSubsampling(step, step, 0, 0);
        part.setDestination(found);
        try {
            reader.read(0, part);
        } catch (IOException | RuntimeException e) {
            // What came before the damage is in the picture.
        }
        BufferedImage rgb = new BufferedImage(found.getWidth(), found.getHeight(), BufferedImage.TYPE_INT_RGB);
        boolean any = false; // A picture of one colour is none: decoders fill up what is missing.
        for (int y = 0; y < found.getHeight(); y++) {
            for (int x = 0; x < found.getWidth(); x++) {
                rgb.setRGB(x, y, found.getRGB(x, y));
                any |= found.getRGB(x, y) != found.getRGB(0, 0);
            }
        }
        return any ? Optional.of(rgb) : Optional.empty();
    }

    private static byte[] png(BufferedImage image) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            if (!ImageIO.write(image, "png", bytes)) {
                throw new IllegalStateException("every JDK writes PNG");
            }
        } catch (IOException e) {
            throw new UncheckedIOException("memory takes every byte", e);
        }
        return bytes.toByteArray();
    }
}
