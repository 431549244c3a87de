package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.augment.Augmenter;
import io.rasterflow.streams.augment.CropBox;
import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.ImageHeader;
import io.rasterflow.streams.decode.Pixels;
import io.rasterflow.streams.order.CounterRandom;
import io.rasterflow.tests.Paired;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Only what a crop needs is decoded, and the crop looks as if all had been. */
@Paired
class PartialDecodingTest {

    private static final List<Double> ZERO = List.of(0.0, 0.0, 0.0);
    private static final List<Double> GREY_LEVELS = List.of(1 / 255.0, 1 / 255.0, 1 / 255.0);

    private final ImageDecoder decoder = new ImageDecoder(3);
    private final Pixels whole = new Pixels();
    private final Pixels part = new Pixels();

    @AfterEach
    void close() {
        decoder.close();
    }

    @Test
    void theRowsThatAreNeededAreThoseOfTheWholeImage() throws Exception {
        byte[] jpeg = jpeg(picture(90, 133), false);
        decoder.decode(jpeg, whole);
        for (int bottom = 1; bottom <= 133; bottom++) {
            decoder.open(jpeg);
            assertEquals(1, decoder.decode(bottom, 1, part));
            assertTrue(part.height() >= bottom && part.height() < bottom + 20, bottom + " gives " + part.height());
            int values = 3 * 90 * bottom;
            assertArrayEquals(Arrays.copyOf(whole.values(), values), Arrays.copyOf(part.values(), values));
        }
    }

    @Test
    void aJpegInSeveralScansIsDecodedWhole() throws Exception {
        byte[] jpeg = jpeg(picture(90, 133), true);
        decoder.open(jpeg);
        decoder.decode(10, 1, part);
        assertEquals(133, part.height());
    }

    @Test
    void otherFormatsAreDecodedWholeAndNotReduced() throws Exception {
        ImageHeader header = decoder.open(TestData.encode(picture(90, 133), "png"));
        assertEquals(133, header.height());
        assertEquals(1, decoder.decode(10, 8, part));
        assertEquals(133, part.height());
        assertThrows(NullPointerException.class, () -> decoder.decode(10, 1, part));
    }

    @Test
    void aReducedCropDiffersByLessThanAGreyLevel() throws Exception {
        AugmentConfig config = new AugmentConfig(56, 3, 0.4, 1, 0.75, 1.33, 0.5, 56, ZERO, GREY_LEVELS);
        Augmenter augmenter = new Augmenter(config);
        for (int side : new int[] {200, 301, 601, 1203}) {
            byte[] jpeg = jpeg(picture(side, side + 100), false);
            decoder.decode(jpeg, whole);
            int most = 1;
            for (int draw = 0; draw < 8; draw++) {
                CounterRandom random = CounterRandom.of(1, 0, draw);
                ImageHeader header = decoder.open(jpeg);
                CropBox crop = augmenter.trainingCrop(header.width(), header.height(), random);
                int reduction = decoder.decode(crop.bottom(), augmenter.trainingReduction(crop), part);
                most = Math.max(most, reduction);
                ByteBuffer exact = target(config);
                ByteBuffer quick = target(config);
                augmenter.training(whole, random, exact, 0);
                augmenter.training(part, crop, reduction, random, quick, 0);
                double difference = meanDifference(exact, quick);
                assertTrue(reduction > 1 || difference == 0, "not reduced, but differs by " + difference);
                assertTrue(difference < 1, "reduced by " + reduction + ", differs by " + difference);
            }
            assertEquals(Integer.highestOneBit(side / 150), most, "the most by which it was reduced");
        }
    }

    @Test
    void evaluationReducesToo() throws Exception {
        AugmentConfig config = new AugmentConfig(56, 3, 0.4, 1, 0.75, 1.33, 0.5, 64, ZERO, GREY_LEVELS);
        Augmenter augmenter = new Augmenter(config);
        byte[] jpeg = jpeg(picture(900, 601), false);
        decoder.decode(jpeg, whole);
        decoder.open(jpeg);
        int reduction = decoder.decode(601, augmenter.evaluationReduction(900, 601), part);
        assertEquals(4, reduction);
        assertEquals(225, part.width());
        ByteBuffer exact = target(config);
        ByteBuffer quick = target(config);
        augmenter.evaluation(whole, exact, 0);
        augmenter.evaluation(part, 900, 601, reduction, quick, 0);
        double difference = meanDifference(exact, quick);
        assertTrue(difference > 0 && difference < 1, "differs by " + difference);
    }

    private static double meanDifference(ByteBuffer a, ByteBuffer b) {
        double sum = 0;
        for (int i = 0; i < a.capacity(); i += 4) {
            sum += Math.abs(a.getFloat(i) - b.getFloat(i));
        }
        return sum / (a.capacity() / 4);
    }

    private static ByteBuffer target(AugmentConfig config) {
        return ByteBuffer.allocateDirect(config.imageValues() * 4).order(ByteOrder.nativeOrder());
    }

    /** Soft colours, edges and some noise, as in a photograph. */
    private static BufferedImage picture(int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setPaint(new GradientPaint(0, 0, Color.BLUE, width, height, Color.ORANGE));
        graphics.fillRect(0, 0, width, height);
        Random random = new Random(3);
        for (int i = 0; i < 20; i++) {
            graphics.setColor(new Color(random.nextInt(1 << 24)));
            graphics.fillOval(random.nextInt(width), random.nextInt(height), width / 5, height / 7);
        }
        graphics.dispose();
        for (int i = 0; i < width * height; i++) {
            int noise = random.nextInt(16) * 0x010101;
            image.setRGB(i % width, i / width, (image.getRGB(i % width, i / width) & 0xF0F0F0) + noise);
        }
        return image;
    }

    private static byte[] jpeg(BufferedImage image, boolean progressive) throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpg").next();
        ImageWriteParam settings = writer.getDefaultWriteParam();
        settings.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        settings.setCompressionQuality(0.9f);
        settings.setProgressiveMode(progressive ? ImageWriteParam.MODE_DEFAULT : ImageWriteParam.MODE_DISABLED);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
            writer.setOutput(out);
            writer.write(null, new IIOImage(image, null, null), settings);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }
}
