package io.rasterflow.streams.pack;

import io.rasterflow.streams.augment.BicubicResampler;
import io.rasterflow.streams.augment.CropBox;
import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.Pixels;
import io.rasterflow.streams.order.KeyedPermutation;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.RawSample;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgproc;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.Point;
import org.bytedeco.opencv.opencv_core.Scalar;

/**
 * A picture of some samples, drawn by a keyed permutation, with their labels.
 *
 * <pre>
 *  GAP   CELL    GAP   CELL    GAP
 *  +---+-------+-----+-------+---+  GAP
 *      | image |     | image |      CELL      larger images are made smaller, smaller ones larger by whole numbers;
 *      | label |     | label |      CAPTION   both stand in the middle
 *  +---+-------+-----+-------+---+  GAP
 * </pre>
 */
public final class ContactSheet {

    /** Pixels of the square that an image has. */
    public static final int CELL = 128;

    /** Pixels under it for the label. */
    public static final int CAPTION = 16;

    /** Pixels around it. */
    public static final int GAP = 4;

    private static final byte PAPER = (byte) 24;
    private static final int CAPTION_CHARACTERS = 18;
    private static final int MAX_SAMPLES = 1024;

    private final int columns;
    private final Pixels sheet = new Pixels();
    private final BicubicResampler resampler = new BicubicResampler();

    private ContactSheet(int samples) {
        columns = (int) Math.ceil(Math.sqrt(samples));
        int rows = (samples + columns - 1) / columns;
        sheet.reset(GAP + columns * (CELL + GAP), GAP + rows * (CELL + CAPTION + GAP), 3);
        Arrays.fill(sheet.values(), PAPER);
    }

    /**
     * Draws a sheet.
     *
     * @param samples how many; all if there are fewer
     * @param key of the permutation of the data set whose first samples are shown
     * @param classes names of the labels; numbers are shown for those that have none
     * @return a PNG file
     */
    public static byte[] draw(DataSet data, int samples, long key, List<String> classes) throws IOException {
        if (samples < 1 || samples > MAX_SAMPLES) {
            throw new IllegalArgumentException("--samples must be between 1 and " + MAX_SAMPLES + " but is " + samples);
        }
        int count = (int) Math.min(samples, data.size());
        ContactSheet sheet = new ContactSheet(count);
        KeyedPermutation order = new KeyedPermutation(data.size(), key);
        try (ImageDecoder decoder = new ImageDecoder(3)) {
            Pixels pixels = new Pixels();
            for (int i = 0; i < count; i++) {
                RawSample sample = read(data, order.apply(i));
                String caption = sample.label() < 0 ? "" : Integer.toString(sample.label());
                try {
                    decoder.decode(sample.bytes(), pixels);
                    sheet.place(pixels, i);
                } catch (DecodeException e) {
                    caption = "broken " + caption;
                }
                boolean named = sample.label() >= 0 && sample.label() < classes.size();
                sheet.write(named ? caption.replaceAll("\\d+$", "") + classes.get(sample.label()) : caption, i);
            }
            return ImageCheck.encode(sheet.sheet, ".png");
        } catch (DecodeException e) {
            throw new IOException("the contact sheet cannot be drawn: " + e.getMessage(), e);
        }
    }

    private static RawSample read(DataSet data, long number) throws IOException {
        int[] counts = data.sampleCounts();
        long left = number;
        int shard = 0;
        while (left >= counts[shard]) {
            left -= counts[shard++];
        }
        return data.read(shard, (int) left);
    }

    private int left(int cell) {
        return GAP + cell % columns * (CELL + GAP);
    }

    private int top(int cell) {
        return GAP + cell / columns * (CELL + CAPTION + GAP);
    }

    private void place(Pixels image, int cell) {
        int longer = Math.max(image.width(), image.height());
        Pixels scaled = image;
        int times = 1;
        if (longer > CELL) {
            scaled = new Pixels();
            int width = Math.max(1, image.width() * CELL / longer);
            int height = Math.max(1, image.height() * CELL / longer);
            resampler.resample(image, new CropBox(0, 0, image.width(), image.height()), width, height, scaled);
        } else {
            times = CELL / longer;
        }
        int left = left(cell) + (CELL - scaled.width() * times) / 2;
        int top = top(cell) + (CELL - scaled.height() * times) / 2;
        for (int y = 0; y < scaled.height() * times; y++) {
            for (int x = 0; x < scaled.width() * times; x++) {
                int from = 3 * (y / times * scaled.width() + x / times);
                int to = 3 * ((top + y) * sheet.width() + left + x);
                System.arraycopy(scaled.values(), from, sheet.values(), to, 3);
            }
        }
    }

    private void write(String caption, int cell) {
        String ascii = caption.replaceAll("[^\\x20-\\x7e]", "?");
        String shown = ascii.substring(0, Math.min(CAPTION_CHARACTERS, ascii.length()));
        byte[] strip = new byte[CELL * CAPTION * 3];
        Arrays.fill(strip, PAPER);
        try (BytePointer data = new BytePointer(strip);
                Mat mat = new Mat(CAPTION, CELL, opencv_core.CV_8UC3, data);
                Point at = new Point(0, CAPTION - 4);
                Scalar white = new Scalar(230, 230, 230, 0)) {
            opencv_imgproc.putText(mat, shown, at, opencv_imgproc.FONT_HERSHEY_SIMPLEX, 0.4, white);
            data.get(strip);
        }
        for (int y = 0; y < CAPTION; y++) {
            int to = 3 * ((top(cell) + CELL + y) * sheet.width() + left(cell));
            System.arraycopy(strip, y * CELL * 3, sheet.values(), to, CELL * 3);
        }
    }
}
