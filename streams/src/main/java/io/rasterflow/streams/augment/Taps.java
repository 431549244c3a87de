package io.rasterflow.streams.augment;

/**
 * The bicubic weights of one axis: output i is the sum over k of {@code weights[weightsAt(i) + k] · input[first(i) + k]}
 * for {@code first(i) + k < end(i)}; neither first nor end ever fall from one output to the next.
 *
 * <p>Pillow's definition: the cubic convolution kernel of Keys (1981) with a = -0.5; when the axis shrinks, the kernel is
 * stretched by the factor, so that every input pixel counts (antialiasing); weights are normalised to sum 1 after the
 * edge has cut them, and rounded to 22 fractional bits.
 */
final class Taps {

    /** Fractional bits: 8-bit values and the sign leave 22 of 32, with two spare for overshoot. */
    static final int FRACTION_BITS = 22;

    private static final double SUPPORT = 2.0;

    private final int width;
    private final int[] first;
    private final int[] end;
    private final int[] weights;

    /**
     * @param inputs pixels of the input axis
     * @param from start of the box on the input axis, may lie between pixels
     * @param to end of the box, exclusive
     * @param outputs pixels of the output axis
     */
    Taps(int inputs, double from, double to, int outputs) {
        double scale = (to - from) / outputs;
        double stretch = Math.max(scale, 1.0);
        double support = SUPPORT * stretch;
        this.width = ((int) Math.ceil(support) * 2 + Lines.AT_ONCE) / Lines.AT_ONCE * Lines.AT_ONCE;
        this.first = new int[outputs];
        this.end = new int[outputs];
        this.weights = new int[outputs * width];
        double[] exact = new double[width];
        for (int i = 0; i < outputs; i++) {
            double centre = from + (i + 0.5) * scale;
            int begin = Math.max(0, (int) (centre - support + 0.5));
            int count = Math.min(inputs, (int) (centre + support + 0.5)) - begin;
            double sum = 0;
            for (int k = 0; k < count; k++) {
                exact[k] = cubic((begin + k - centre + 0.5) / stretch);
                sum += exact[k];
            }
            first[i] = begin;
            end[i] = begin + count;
            for (int k = 0; k < count; k++) {
                double scaled = (sum == 0 ? exact[k] : exact[k] / sum) * (1 << FRACTION_BITS);
                weights[i * width + k] = (int) (scaled < 0 ? scaled - 0.5 : scaled + 0.5);
            }
        }
    }

    /** Keys' kernel with a = -1/2. */
    private static double cubic(double x) {
        double d = Math.abs(x);
        if (d < 1) {
            return (1.5 * d - 2.5) * d * d + 1;
        }
        if (d < 2) {
            return ((-0.5 * d + 2.5) * d - 4) * d + 2;
        }
        return 0;
    }

    int outputs() {
        return first.length;
    }

    /** The most lines that an output takes, filled up to a multiple of {@link Lines#AT_ONCE}. */
    int width() {
        return width;
    }

    int first(int output) {
        return first[output];
    }

    int end(int output) {
        return end[output];
    }

    /** Where the weights of an output start in {@link #weights()}. */
    int weightsAt(int output) {
        return output * width;
    }

    int[] weights() {
        return weights;
    }
}
