package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.augment.Augmenter;
import io.rasterflow.streams.augment.ColorJitter;
import io.rasterflow.streams.augment.ColorJitter.Operation;
import io.rasterflow.streams.augment.JitterConfig;
import io.rasterflow.streams.decode.Pixels;
import io.rasterflow.streams.order.CounterRandom;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Colour jitter agrees with torchvision; see torchvision_jitter.py for how the reference was made. */
class ColorJitterTest {

    private static final JitterConfig AUTHORS = new JitterConfig(0.8, 0.4, 0.4, 0.2, 0.1);

    @Test
    void agreesWithTorchvisionToOneGreyLevel() throws IOException {
        List<String> lines = reference();
        ColorJitter jitter = new ColorJitter();
        int differing = 0;
        int values = 0;
        for (int i = 0; i < lines.size(); i += 3) {
            String[] f = lines.get(i).split(" ", -1);
            Pixels image = new Pixels().reset(Integer.parseInt(f[1]), Integer.parseInt(f[2]), Integer.parseInt(f[0]));
            byte[] input = HexFormat.of().parseHex(lines.get(i + 1));
            System.arraycopy(input, 0, image.values(), 0, input.length);
            for (String step : Arrays.asList(f).subList(3, f.length)) {
                String[] operation = step.split("=", -1);
                jitter.apply(image, Operation.valueOf(operation[0]), Double.parseDouble(operation[1]));
            }
            byte[] expected = HexFormat.of().parseHex(lines.get(i + 2));
            assertFalse(Arrays.equals(input, expected), "the reference does something");
            for (int k = 0; k < expected.length; k++) {
                int difference = Math.abs((expected[k] & 0xFF) - (image.values()[k] & 0xFF));
                assertTrue(difference <= 1, lines.get(i) + " differs by " + difference + " at " + k);
                differing += difference;
            }
            values += expected.length;
        }
        assertTrue(values > 10_000, "only " + values + " reference values");
        assertTrue(differing < values / 100, differing + " of " + values + " values differ");
    }

    @Test
    void factorsThatChangeNothing() {
        ColorJitter jitter = new ColorJitter();
        Pixels image = noise(31, 3);
        byte[] before = image.values().clone();
        jitter.apply(image, Operation.BRIGHTNESS, 1);
        jitter.apply(image, Operation.CONTRAST, 1);
        jitter.apply(image, Operation.SATURATION, 1);
        assertArrayEquals(before, image.values());
        jitter.apply(image, Operation.SATURATION, 0);
        for (int i = 0; i < 31 * 31 * 3; i += 3) {
            assertEquals(image.values()[i], image.values()[i + 1]);
            assertEquals(image.values()[i], image.values()[i + 2]);
        }
    }

    @Test
    void aProbabilityOfNoneLeavesTheBitsAsTheyWere() {
        Pixels image = noise(40, 3);
        AugmentConfig off = config(3, 28, JitterConfig.OFF);
        AugmentConfig never = config(3, 28, new JitterConfig(0, 0.4, 0.4, 0.2, 0.1));
        for (int i = 0; i < 20; i++) {
            CounterRandom random = CounterRandom.of(3, 1, i);
            assertArrayEquals(training(off, image, random), training(never, image, random));
        }
    }

    @Test
    void jitterIsAPureFunctionOfTheSampleAndKeepsTheImageItself() {
        Pixels image = noise(28, 3);
        byte[] before = image.values().clone();
        AugmentConfig config = config(3, 28, AUTHORS);
        int changed = 0;
        for (int i = 0; i < 500; i++) {
            CounterRandom random = CounterRandom.of(3, 1, i);
            float[] jittered = training(config, image, random);
            assertArrayEquals(jittered, training(config, image, random));
            changed += Arrays.equals(jittered, training(config(3, 28, JitterConfig.OFF), image, random)) ? 0 : 1;
        }
        assertEquals(0.8, changed / 500.0, 0.06);
        assertArrayEquals(before, image.values(), "a crop of the whole image does not write into it");
    }

    @Test
    void factorsAreUniformAndOrdersDiffer() {
        // A grey image of one value: contrast does nothing, brightness multiplies it.
        Pixels image = new Pixels().reset(28, 28, 1);
        Arrays.fill(image.values(), (byte) 100);
        AugmentConfig config = config(1, 28, new JitterConfig(1, 0.4, 0.4, 0.2, 0.1));
        double sum = 0;
        double least = 255;
        double most = 0;
        for (int i = 0; i < 4000; i++) {
            double value = training(config, image, CounterRandom.of(0, 0, i))[0] * 255;
            sum += value;
            least = Math.min(least, value);
            most = Math.max(most, value);
        }
        assertEquals(99.5, sum / 4000, 1.5); // rounded down
        assertEquals(60, least, 1.01);
        assertEquals(140, most, 1.01);
    }

    @Test
    void configurationErrorsNameKeyAndValue() {
        assertMessage("data.augment.jitter.probability", 1.5, 0, 0, 0, 0);
        assertMessage("data.augment.jitter.brightness", 1, -1, 0, 0, 0);
        assertMessage("data.augment.jitter.contrast", 1, 0, Double.NaN, 0, 0);
        assertMessage("data.augment.jitter.saturation", 1, 0, 0, Double.POSITIVE_INFINITY, 0);
        assertMessage("data.augment.jitter.hue", 1, 0, 0, 0, 0.6);
    }

    private static void assertMessage(String key, double p, double b, double c, double s, double h) {
        String message = assertThrows(IllegalArgumentException.class, () -> new JitterConfig(p, b, c, s, h))
                .getMessage();
        assertTrue(message.startsWith(key + " "), message);
    }

    private static AugmentConfig config(int channels, int size, JitterConfig jitter) {
        List<Double> zero = List.of(0.0, 0.0, 0.0).subList(0, channels);
        List<Double> one = List.of(1.0, 1.0, 1.0).subList(0, channels);
        return new AugmentConfig(size, channels, 1, 1, 1, 1, 0.5, size, zero, one, jitter);
    }

    private static Pixels noise(int side, int channels) {
        Pixels image = new Pixels().reset(side, side, channels);
        for (int i = 0; i < side * side * channels; i++) {
            image.values()[i] = (byte) CounterRandom.of(9, 9, i).bits(0);
        }
        return image;
    }

    private static float[] training(AugmentConfig config, Pixels image, CounterRandom random) {
        ByteBuffer target = ByteBuffer.allocateDirect(config.imageValues() * 4).order(ByteOrder.nativeOrder());
        new Augmenter(config).training(image, random, target, 0);
        float[] values = new float[config.imageValues()];
        target.asFloatBuffer().get(values);
        return values;
    }

    private static List<String> reference() throws IOException {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(ColorJitterTest.class.getResourceAsStream("/streams/torchvision_jitter.txt")),
                StandardCharsets.US_ASCII))) {
            return reader.lines().filter(line -> !line.startsWith("#")).toList();
        }
    }
}
