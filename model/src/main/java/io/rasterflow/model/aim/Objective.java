package io.rasterflow.model.aim;

/**
 * What an AIM model learns to predict (arXiv 2401.08541, sections 3.1 and 4.4: the default and its ablations).
 *
 * @param kind which patches are predicted from which
 * @param maskRatio share of an image's patches that {@link Kind#MASKED} hides
 * @param target what a patch is predicted as
 * @param vocabulary centroids of the codebook for {@link Target#TOKENS}
 * @param codebook safetensors file of the k-means centroids for {@link Target#TOKENS}, else empty
 * @param order in which {@link Kind#AUTOREGRESSIVE} visits the patches
 * @param attention during training; evaluation is always bidirectional
 */
public record Objective(
        Kind kind, double maskRatio, Target target, int vocabulary, String codebook, Order order, Attention attention) {

    /** What the paper trains: next patch, normalised pixels, raster order, prefix attention. */
    public static final Objective PAPER =
            new Objective(Kind.AUTOREGRESSIVE, 0.5, Target.NORMALISED, 0, "", Order.RASTER, Attention.PREFIX);

    public enum Kind {
        /** Every patch from those before it. */
        AUTOREGRESSIVE,
        /** Hidden patches, replaced by a learned token, from the visible ones; bidirectional attention. */
        MASKED
    }

    public enum Target {
        /** Pixels normalised by mean and unbiased variance of their patch; mean squared error. */
        NORMALISED,
        /** Pixels as they come; mean squared error. */
        RAW,
        /** The nearest k-means centroid; cross-entropy. */
        TOKENS
    }

    public enum Order {
        RASTER,
        /** From the centre outwards. */
        SPIRAL,
        /** The fields of one colour first, then those of the other. */
        CHECKERBOARD,
        /** One fixed random permutation, the same for every image. */
        RANDOM
    }

    public enum Attention {
        PREFIX,
        CAUSAL
    }

    /** Patches that the loss counts where hidden ones are predicted: at least one hidden and one visible. */
    int hidden(int patches) {
        return (int) Math.max(1, Math.min(patches - 1, Math.round(maskRatio * patches)));
    }

    public Objective {
        if (!(maskRatio > 0 && maskRatio < 1)) {
            throw new IllegalArgumentException("model.objective.maskRatio must be between 0 and 1 but is " + maskRatio);
        }
        if (target == Target.TOKENS && (codebook.isEmpty() || vocabulary < 2)) {
            throw new IllegalArgumentException(
                    "model.objective.target=tokens needs model.objective.codebook, a file that"
                            + " `rasterflow codebook` makes from the training images, and model.objective.vocabulary, its size");
        }
    }
}
