package io.rasterflow.model.aim;

import java.util.Arrays;

/**
 * Which outputs of a micro-batch predict a patch, drawn from the images' keys.
 *
 * @param prefixes prefix length S of every image; K where attention is bidirectional
 * @param rows the outputs whose loss counts, as indices into the (B, N) tokens, ascending
 */
record Predicted(long[] prefixes, long[] rows) {

    private static final long HIDDEN = 0x48696464656E00L;

    /** The draw for images with the given keys. */
    static Predicted draw(AimConfig config, long[] sampleKeys) {
        if (config.objective().kind() == Objective.Kind.MASKED) {
            return masked(config, sampleKeys);
        }
        long[] prefixes = new long[sampleKeys.length];
        if (config.objective().attention() == Objective.Attention.CAUSAL) {
            Arrays.fill(prefixes, 1);
        } else {
            Arrays.setAll(prefixes, i -> Prefix.draw(sampleKeys[i], config.patches()));
        }
        return after(config, prefixes);
    }

    /**
     * Outputs S-1..K-2 of every image, which predict patches S..K-1; an image has N = K-1 tokens.
     *
     * @param prefixes each in 1..K-1
     */
    static Predicted after(AimConfig config, long[] prefixes) {
        int tokens = config.patches() - 1;
        long[] rows = new long[prefixes.length * tokens];
        int count = 0;
        for (int image = 0; image < prefixes.length; image++) {
            long prefix = prefixes[image];
            if (prefix < 1 || prefix > tokens) {
                throw new IllegalArgumentException("a prefix length must be in 1.." + tokens + " but is " + prefix);
            }
            for (long token = prefix - 1; token < tokens; token++) {
                rows[count++] = (long) image * tokens + token;
            }
        }
        return new Predicted(prefixes, Arrays.copyOf(rows, count));
    }

    /** A share of every image's K patches, each set equally likely. */
    private static Predicted masked(AimConfig config, long[] sampleKeys) {
        int patches = config.patches();
        int hidden = config.objective().hidden(patches);
        long[] rows = new long[sampleKeys.length * hidden];
        for (int image = 0; image < sampleKeys.length; image++) {
            int[] order = PatchOrder.shuffled(patches, sampleKeys[image] ^ HIDDEN);
            Arrays.sort(order, 0, hidden);
            for (int i = 0; i < hidden; i++) {
                rows[image * hidden + i] = (long) image * patches + order[i];
            }
        }
        long[] prefixes = new long[sampleKeys.length];
        Arrays.fill(prefixes, patches);
        return new Predicted(prefixes, rows);
    }

    int images() {
        return prefixes.length;
    }

    int count() {
        return rows.length;
    }
}
