package io.rasterflow.model.finetune;

/**
 * How the images of one batch are mixed: image i with image B-1-i, the same way for the whole batch.
 *
 * @param kind what is done
 * @param share of image i in the result and in its label; 1 where nothing is mixed
 * @param top first row of the rectangle that {@link Kind#CUTMIX} takes from the partner
 * @param left first column
 * @param bottom row after the last
 * @param right column after the last
 */
public record Mix(Kind kind, double share, int top, int left, int bottom, int right) {
    private static final long PURPOSE = 0x4D69786564000000L;
    private static final Mix NONE = new Mix(Kind.NONE, 1, 0, 0, 0, 0);

    public enum Kind {
        NONE,
        /** share · image + (1 - share) · partner (arXiv 1710.09412). */
        MIXUP,
        /** A rectangle of the partner, of about 1 - share of the area (arXiv 1905.04899). */
        CUTMIX
    }

    /**
     * Draws the mix of a step: a pure function of (seed, step).
     *
     * @param side of the images in pixels
     */
    public static Mix draw(FineTuneConfig config, long step, int side) {
        boolean mixup = config.mixup() > 0;
        boolean cutmix = config.cutmix() > 0;
        Draws draws = Draws.of(PURPOSE, config.seed(), step);
        if (!(mixup || cutmix) || draws.uniform() >= config.mixProbability()) {
            return NONE;
        }
        boolean first = draws.uniform() < 0.5;
        if (mixup && (first || !cutmix)) {
            return new Mix(Kind.MIXUP, draws.beta(config.mixup()), 0, 0, 0, 0);
        }
        return rectangle(draws.beta(config.cutmix()), draws, side);
    }

    /** Around a uniform centre and cut off at the border; the share is then that of the area actually kept. */
    private static Mix rectangle(double wanted, Draws draws, int side) {
        int half = (int) (side * Math.sqrt(1 - wanted)) / 2;
        int y = draws.below(side);
        int x = draws.below(side);
        int top = Math.max(0, y - half);
        int bottom = Math.min(side, y + half);
        int left = Math.max(0, x - half);
        int right = Math.min(side, x + half);
        double pasted = (double) (bottom - top) * (right - left) / ((double) side * side);
        return new Mix(Kind.CUTMIX, 1 - pasted, top, left, bottom, right);
    }
}
