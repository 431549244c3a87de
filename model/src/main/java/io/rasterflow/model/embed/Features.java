package io.rasterflow.model.embed;

import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.probe.Blocks;
import io.rasterflow.model.probe.Layers;
import java.util.List;

/**
 * Which features of an image are wanted: the mean over some blocks' outputs.
 *
 * @param layers blocks, 0-based, in ascending order
 * @param normed whether the trunk's final norm is applied; then the last block must be the only layer
 * @param pool what becomes of the patches
 */
public record Features(List<Integer> layers, boolean normed, Pool pool) {

    public enum Pool {
        /** The mean over the patches: (D) per image. */
        MEAN,
        /** Every patch: (K, D) per image. */
        NONE
    }

    public Features {
        layers = List.copyOf(layers);
        if (layers.isEmpty()) {
            throw new IllegalArgumentException("features need at least one layer");
        }
    }

    /**
     * Reads {@code final} (the last block behind the final norm) or what {@link Layers} describes, except {@code each}.
     *
     * @param trunk whose blocks they are
     * @throws IllegalArgumentException naming what it may be
     */
    public static Features parse(String layers, Pool pool, AimConfig.Trunk trunk) {
        if (layers.equals("final")) {
            return new Features(List.of(trunk.blocks() - 1), true, pool);
        }
        List<Blocks> blocks = Layers.resolve(layers, trunk.blocks(), trunk.dim());
        if (blocks.size() > 1) {
            throw new IllegalArgumentException("features are written for one set of blocks, not for " + layers
                    + "; give --layers lastN, best6, final, or blocks such as 14-19 or 3,5,7");
        }
        return new Features(blocks.get(0).indices(), false, pool);
    }
}
