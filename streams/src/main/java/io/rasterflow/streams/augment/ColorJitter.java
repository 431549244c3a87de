package io.rasterflow.streams.augment;

import io.rasterflow.streams.decode.Pixels;
import io.rasterflow.streams.order.CounterRandom;

/**
 * Brightness, contrast, saturation and hue of 8-bit images in a random order, each step rounded to 8 bits, as torchvision's
 * ColorJitter does to uint8 tensors. Keeps its working memory; confined to one thread at a time.
 */
public final class ColorJitter {

    /** What can be done to an image; grey ones know only the first two. */
    public enum Operation {
        BRIGHTNESS,
        CONTRAST,
        SATURATION,
        HUE
    }

    /** Draws that {@link #random} uses: whether, in which order, and four factors. */
    public static final int DRAWS = 6;

    private static final Operation[] OPERATIONS = Operation.values();
    private static final int ORDERS = 24;
    private static final float RED = 0.2989f;
    private static final float GREEN = 0.587f;
    private static final float BLUE = 0.114f;

    private final byte[] table = new byte[256];
    private final Operation[] order = OPERATIONS.clone();

    /** Whether an image is jittered, drawn with probability {@code config.probability()}. */
    static boolean drawn(JitterConfig config, CounterRandom random, int firstDraw) {
        return config.probability() > 0 && random.uniform(firstDraw) < config.probability();
    }

    /**
     * Draws an order and four factors and applies them in place.
     *
     * @param firstDraw the draws from here to {@code firstDraw + 5} are used
     */
    void random(Pixels image, JitterConfig config, CounterRandom random, int firstDraw) {
        permute((int) random.below(firstDraw + 1, ORDERS));
        for (Operation operation : order) {
            int draw = firstDraw + 2 + operation.ordinal();
            switch (operation) {
                case BRIGHTNESS -> applyDrawn(image, operation, config.brightness(), random, draw);
                case CONTRAST -> applyDrawn(image, operation, config.contrast(), random, draw);
                case SATURATION -> applyDrawn(image, operation, config.saturation(), random, draw);
                case HUE -> {
                    if (config.hue() > 0) {
                        apply(image, operation, random.uniform(draw, -config.hue(), config.hue()));
                    }
                }
            }
        }
    }

    private void applyDrawn(Pixels image, Operation operation, double strength, CounterRandom random, int draw) {
        if (strength > 0) {
            apply(image, operation, random.uniform(draw, Math.max(0, 1 - strength), 1 + strength));
        }
    }

    /** The permutation with a number of 0 … 23, in the factorial number system. */
    private void permute(int number) {
        System.arraycopy(OPERATIONS, 0, order, 0, order.length);
        int rest = number;
        for (int i = 0; i < order.length - 1; i++) {
            int choices = order.length - i;
            int j = i + rest % choices;
            rest /= choices;
            Operation chosen = order[j];
            order[j] = order[i];
            order[i] = chosen;
        }
    }

    /**
     * One operation in place.
     *
     * @param factor 1 leaves brightness, contrast and saturation as they are, 0 takes them away; of hue the part of a turn by
     *     which it is moved
     */
    public void apply(Pixels image, Operation operation, double factor) {
        float f = (float) factor;
        switch (operation) {
            case BRIGHTNESS -> blend(image, 0, f);
            case CONTRAST -> blend(image, mean(image), f);
            case SATURATION -> {
                if (image.channels() == 3) {
                    saturate(image, f);
                }
            }
            case HUE -> {
                if (image.channels() == 3) {
                    turn(image, f);
                }
            }
        }
    }

    /** Every value to factor·value + (1-factor)·other. */
    private void blend(Pixels image, float other, float factor) {
        for (int value = 0; value < table.length; value++) {
            table[value] = clip(factor * value + (1 - factor) * other);
        }
        byte[] values = image.values();
        int n = image.width() * image.height() * image.channels();
        for (int i = 0; i < n; i++) {
            values[i] = table[values[i] & 0xFF];
        }
    }

    /** Mean of the luminance, each rounded down to 8 bits. */
    private static float mean(Pixels image) {
        byte[] values = image.values();
        int n = image.width() * image.height();
        long sum = 0;
        if (image.channels() == 1) {
            for (int i = 0; i < n; i++) {
                sum += values[i] & 0xFF;
            }
        } else {
            for (int i = 0; i < 3 * n; i += 3) {
                sum += luminance(values[i] & 0xFF, values[i + 1] & 0xFF, values[i + 2] & 0xFF);
            }
        }
        return (float) ((double) sum / n);
    }

    private static int luminance(int r, int g, int b) {
        return (int) (RED * r + GREEN * g + BLUE * b);
    }

    private static void saturate(Pixels image, float factor) {
        byte[] values = image.values();
        int n = 3 * image.width() * image.height();
        for (int i = 0; i < n; i += 3) {
            int r = values[i] & 0xFF;
            int g = values[i + 1] & 0xFF;
            int b = values[i + 2] & 0xFF;
            float grey = (1 - factor) * luminance(r, g, b);
            values[i] = clip(factor * r + grey);
            values[i + 1] = clip(factor * g + grey);
            values[i + 2] = clip(factor * b + grey);
        }
    }

    /** Turns the hue by way of HSV in 0 … 1; value and saturation stay. */
    private static void turn(Pixels image, float shift) {
        byte[] values = image.values();
        int n = 3 * image.width() * image.height();
        for (int i = 0; i < n; i += 3) {
            float r = (values[i] & 0xFF) / 255f;
            float g = (values[i + 1] & 0xFF) / 255f;
            float b = (values[i + 2] & 0xFF) / 255f;
            float most = Math.max(r, Math.max(g, b));
            float range = most - Math.min(r, Math.min(g, b));
            if (range == 0) {
                continue; // Grey has no hue; its value goes to HSV and back unchanged.
            }
            float sixth;
            if (most == r) {
                sixth = (g - b) / range;
            } else if (most == g) {
                sixth = 2 + (b - r) / range;
            } else {
                sixth = 4 + (r - g) / range;
            }
            float hue = sixth / 6 + shift + 2;
            hue -= (int) hue;
            rgb(values, i, hue * 6, range / most, most);
        }
    }

    /** HSV to RGB at {@code i}; hue in sixths of a turn. */
    private static void rgb(byte[] values, int i, float hue, float saturation, float value) {
        int sector = (int) hue;
        float f = hue - sector;
        byte v = whole(value);
        byte p = whole(value * (1 - saturation));
        byte q = whole(value * (1 - saturation * f));
        byte t = whole(value * (1 - saturation * (1 - f)));
        switch (sector % 6) {
            case 0 -> set(values, i, v, t, p);
            case 1 -> set(values, i, q, v, p);
            case 2 -> set(values, i, p, v, t);
            case 3 -> set(values, i, p, q, v);
            case 4 -> set(values, i, t, p, v);
            default -> set(values, i, v, p, q);
        }
    }

    private static void set(byte[] values, int i, byte r, byte g, byte b) {
        values[i] = r;
        values[i + 1] = g;
        values[i + 2] = b;
    }

    /** 0 … 1 to 0 … 255, each of the 256 values from a part of the same length. */
    private static byte whole(float value) {
        return (byte) Math.max(0, Math.min(255, (int) (value * 255.999f)));
    }

    private static byte clip(float value) {
        return (byte) (int) Math.max(0f, Math.min(255f, value));
    }
}
