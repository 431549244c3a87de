package io.rasterflow.model.finetune;

/**
 * Random erasing (arXiv 1708.04896): a rectangle of an image is replaced by normal noise, which fits normalised pixels.
 *
 * <p>Its area is 2 % to a third of the image's and its height / width 0.3 to 3.3; of ten draws the first that fits counts.
 */
final class Erasing {
    private static final long PURPOSE = 0x4572617365640000L;
    private static final double LEAST_AREA = 0.02;
    private static final double LARGEST_AREA = 1.0 / 3;
    private static final double LEAST_ASPECT = 0.3;
    private static final int ATTEMPTS = 10;

    private Erasing() {}

    /**
     * A pure function of the image's key.
     *
     * @param planes images one after the other
     * @param start first value of the image (C, side, side)
     * @return how many pixels were erased
     */
    static int apply(double probability, long sampleKey, float[] planes, int start, int channels, int side) {
        Draws draws = Draws.of(PURPOSE, sampleKey, 0);
        if (draws.uniform() >= probability) {
            return 0;
        }
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            double area = draws.uniform(LEAST_AREA, LARGEST_AREA) * side * side;
            double logAspect = StrictMath.log(LEAST_ASPECT);
            double aspect = StrictMath.exp(draws.uniform(logAspect, -logAspect));
            int height = (int) Math.rint(Math.sqrt(area * aspect));
            int width = (int) Math.rint(Math.sqrt(area / aspect));
            if (height >= 1 && width >= 1 && height < side && width < side) {
                int top = draws.below(side - height + 1);
                int left = draws.below(side - width + 1);
                fill(draws, planes, start + top * side + left, channels, height, width, side);
                return height * width;
            }
        }
        return 0;
    }

    private static void fill(Draws draws, float[] planes, int at, int channels, int height, int width, int side) {
        for (int c = 0; c < channels; c++) {
            for (int y = 0; y < height; y++) {
                int row = at + (c * side + y) * side;
                for (int x = 0; x < width; x++) {
                    planes[row + x] = (float) draws.normal();
                }
            }
        }
    }
}
