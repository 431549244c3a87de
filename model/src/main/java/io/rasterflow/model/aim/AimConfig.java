package io.rasterflow.model.aim;

/**
 * The shape of an AIM model (arXiv 2401.08541, section 3).
 *
 * @param imageSize side of the square input in pixels
 * @param patchSize side P of a patch in pixels; divides the image size
 * @param channels 1 grey or 3 RGB
 * @param trunk encoder
 * @param head pixel head
 * @param normEps epsilon of every LayerNorm: 1e-6 in the released inference code, 1e-5 in the training configuration
 */
public record AimConfig(int imageSize, int patchSize, int channels, Trunk trunk, Head head, double normEps) {

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
     * @param dim width h; a multiple of 4
     * @param blocks depth, 0 for a linear head behind the projection
     */
    public record Head(int dim, int blocks) {
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

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
