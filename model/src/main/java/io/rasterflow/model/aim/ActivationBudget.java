package io.rasterflow.model.aim;

import io.rasterflow.model.Compute;

/**
 * What the activations of some images take, and how many blocks must be computed twice to keep within a limit (activation
 * checkpointing of whole blocks).
 *
 * <p>The first blocks are the ones to recompute: their activations would be held longest, and by the time of their
 * backward pass those of the last blocks are free again.
 */
final class ActivationBudget {
    /** Values that a block keeps per token, in widths: input, norm, qkv, attended, middle, norm, hidden. */
    private static final int KEPT_WIDTHS = 1 + 1 + 3 + 1 + 1 + 1 + 4;

    private static final int SHORT_SEQUENCE = 64;

    private ActivationBudget() {}

    /**
     * Leading blocks, of the trunk and then of the head, of which only the input is kept.
     *
     * @param images whose activations are held at a time
     */
    static int recomputedBlocks(AimConfig config, Compute compute, int images) {
        if (compute.activationBytes() == 0) {
            return 0;
        }
        int blocks = config.trunk().blocks() + headBlocks(config);
        long bytes = 0;
        for (int i = 0; i < blocks; i++) {
            bytes += blockBytes(config, i, images);
        }
        int recomputed = 0;
        while (recomputed < blocks && bytes > compute.activationBytes()) {
            bytes -= blockBytes(config, recomputed, images) - inputBytes(config, recomputed, images);
            recomputed++;
        }
        return recomputed;
    }

    private static int headBlocks(AimConfig config) {
        return config.head().kind() == AimConfig.Head.Kind.NONE
                ? 0
                : config.head().blocks();
    }

    /** Float32 bytes that block {@code i} keeps; bf16 needs half. */
    private static long blockBytes(AimConfig config, int i, int images) {
        long tokens = (long) images * config.patches();
        boolean trunk = i < config.trunk().blocks();
        boolean attends = trunk || config.head().kind() == AimConfig.Head.Kind.TRANSFORMER;
        long width = trunk ? config.trunk().dim() : config.head().dim();
        int heads = trunk ? config.trunk().heads() : config.headHeads();
        long kept = tokens * width * (attends ? KEPT_WIDTHS : KEPT_WIDTHS - 5);
        if (attends && config.patches() <= SHORT_SEQUENCE) {
            kept += tokens * config.patches() * heads;
        }
        return kept * Float.BYTES;
    }

    private static long inputBytes(AimConfig config, int i, int images) {
        long width = i < config.trunk().blocks()
                ? config.trunk().dim()
                : config.head().dim();
        return (long) images * config.patches() * width * Float.BYTES;
    }
}
