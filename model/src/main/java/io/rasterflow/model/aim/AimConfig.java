package io.rasterflow.model.aim;

/**
 * The shape of an AIM model (arXiv 2401.08541, section 3).
 *
 * @param imageSize side of the square input in pixels
 * @param patchSize side P of a patch in pixels; divides the image size
 * @param channels 1 grey or 3 RGB
 * @param trunk encoder
 * @param head pixel head
 * @param objective what it learns to predict
 * @param normEps epsilon of every LayerNorm: 1e-6 in the released inference code, 1e-5 in the training configuration
 */
public record AimConfig(
        int imageSize, int patchSize, int channels, Trunk trunk, Head head, Objective objective, double normEps) {

    /** With the paper's objective. */
    public AimConfig(int imageSize, int patchSize, int channels, Trunk trunk, Head head, double normEps) {
        this(imageSize, patchSize, channels, trunk, head, Objective.PAPER, normEps);
    }

    /**
     * @param dim width D; a multiple of 4 (sin/cos positions) and of the heads
     * @param blocks depth
     * @param heads attention heads
     */
    public record Trunk(int dim, int blocks, int heads) {
        public Trunk {
            require(dim >= 4 && dim % 4 == 0, "model.trunk.dim must be a positive multiple of 4 but is " + dim);
            require(blocks >= 1, "model.trunk.blocks must be at least 1 but is " + blocks);
            require(
                    heads >= 1 && dim % heads == 0,
                    "model.trunk.heads must divide model.trunk.dim (" + dim + ") but is " + heads);
        }
    }

    /**
     * @param kind what stands between the trunk and the predictions
     * @param dim width h; a multiple of 4
     * @param blocks depth, 0 for a linear head behind the projection
     */
    public record Head(Kind kind, int dim, int blocks) {

        public enum Kind {
            /** Norm and one linear layer on the trunk's output; dim and blocks are not used. */
            NONE,
            /** Blocks whose attention is the identity: the paper's default. */
            MLP,
            /** Blocks with attention under the trunk's mask. */
            TRANSFORMER
        }

        /** The paper's head. */
        public Head(int dim, int blocks) {
            this(Kind.MLP, dim, blocks);
        }

        public Head {
            require(dim >= 4 && dim % 4 == 0, "model.head.dim must be a positive multiple of 4 but is " + dim);
            require(blocks >= 0, "model.head.blocks must not be negative but is " + blocks);
        }
    }

    public AimConfig {
        require(
                patchSize >= 1 && imageSize >= 2 * patchSize && imageSize % patchSize == 0,
                "model.patchSize must divide model.imageSize (" + imageSize + ") at least twice but is " + patchSize);
        require(channels == 1 || channels == 3, "model.channels must be 1 or 3 but is " + channels);
        require(
                head.kind() != Head.Kind.TRANSFORMER || head.dim() * trunk.heads() % trunk.dim() == 0,
                "model.head.dim of a transformer head must be a multiple of the width of the trunk's heads ("
                        + trunk.dim() / trunk.heads() + ") but is " + head.dim());
        require(normEps > 0, "model.normEps must be above 0 but is " + normEps);
    }

    /** Patches K of one image. */
    public int patches() {
        return (imageSize / patchSize) * (imageSize / patchSize);
    }

    /** Values of one patch: P·P·C. */
    public int patchValues() {
        return patchSize * patchSize * channels;
    }

    /** Outputs of the head for one patch: its values, or the codebook's size. */
    public int predictedValues() {
        return objective.target() == Objective.Target.TOKENS ? objective.vocabulary() : patchValues();
    }

    /** Heads of a transformer head, as wide as the trunk's. */
    public int headHeads() {
        return Math.max(1, head.dim() * trunk.heads() / trunk.dim());
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
