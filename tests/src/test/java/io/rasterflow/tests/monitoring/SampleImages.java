package io.rasterflow.tests.monitoring;

import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.images.Sheet;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import javax.imageio.ImageIO;

/** Pictures of two images of 2·2 patches, whose predictions have another grey at every step. */
public final class SampleImages {
    private static final int SIZE = 8;
    private static final int GAP = 2;
    private static final List<String> PANELS = List.of("truth", "shown", "predicted", "error");

    private SampleImages() {}

    /** Grey of the predictions of a step. */
    public static int grey(long step) {
        return (int) (step / 10 % 256);
    }

    public static String write(ImageArchive archive, long step) throws IOException {
        return archive.write(png(step, PANELS.size()), about(step));
    }

    private static byte[] png(long step, int panels) throws IOException {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(picture(step, panels), "png", png);
        return png.toByteArray();
    }

    /**
     * The same with what two heads take of the patches, most of the last, and those of each further set as much of another.
     *
     * @param sets that the probes learned from
     */
    static String writeAttended(ImageArchive archive, long step, List<String> sets) throws IOException {
        Sheet plain = about(step);
        List<Sheet.Attention> attentions = new ArrayList<>();
        List<String> panels = new ArrayList<>(PANELS);
        for (String set : sets) {
            List<List<Double>> heads = List.of(Arrays.asList(0.0, 0.1, 0.2, 0.7), Arrays.asList(0.1, 0.1, 0.1, 0.7));
            heads.forEach(head -> Collections.rotate(head, attentions.size()));
            attentions.add(new Sheet.Attention(set, heads));
            panels.add(set.isEmpty() ? "attention" : "attention " + set);
        }
        List<Sheet.Image> images = plain.images().stream()
                .map(image -> new Sheet.Image(image.label(), image.shown(), image.loss(), image.losses(), attentions))
                .toList();
        return archive.write(
                png(step, panels.size()), new Sheet(step, panels, SIZE, GAP, plain.grid(), plain.worst(), images));
    }

    static Sheet about(long step) {
        double loss = 1.0 / (1 + step);
        return new Sheet(
                step,
                PANELS,
                SIZE,
                GAP,
                2,
                1,
                List.of(
                        new Sheet.Image(7, 1, loss, Arrays.asList(null, loss, loss / 2, loss * 1.5), List.of()),
                        new Sheet.Image(-1, 3, null, Arrays.asList(null, null, null, null), List.of())));
    }

    private static BufferedImage picture(long step, int panels) {
        int cell = SIZE + GAP;
        BufferedImage picture = new BufferedImage(cell * panels - GAP, 2 * cell - GAP, BufferedImage.TYPE_INT_ARGB);
        int colour = 0xFF000000 | grey(step) * 0x010101;
        for (int y = 0; y < picture.getHeight(); y++) {
            for (int x = 2 * cell; x < 2 * cell + SIZE; x++) {
                picture.setRGB(x, y, colour);
            }
        }
        return picture;
    }
}
