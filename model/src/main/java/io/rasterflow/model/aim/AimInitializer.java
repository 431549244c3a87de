package io.rasterflow.model.aim;

import io.rasterflow.model.program.ParameterLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Initial weights: Xavier-uniform matrices (the patch embedding as a linear map), zero biases, identity norms.
 *
 * <p>Drawn in Java by a counter-based generator, so that every rank has the same bits whatever its engine or processor.
 */
final class AimInitializer {
    /** A uniform token of standard deviation 0.02. */
    private static final double TOKEN_BOUND = 0.02 * Math.sqrt(3);

    private AimInitializer() {}

    /** The weights of one parameter. What it gets depends on the seed and its name, not on where it lies. */
    static float[] draw(ParameterLayout.Slot slot, long seed) {
        float[] values = new float[slot.size()];
        long key = Mixer.mix(seed, hash(slot.name()));
        if (slot.decayed()) {
            xavierUniform(values, slot, key);
        } else if (slot.name().endsWith(".weight")) {
            Arrays.fill(values, 1f);
        } else if (slot.name().endsWith("_token")) {
            uniform(values, key, TOKEN_BOUND);
        }
        return values;
    }

    /** FNV-1a. */
    private static long hash(String name) {
        long hash = 0xCBF29CE484222325L;
        for (byte octet : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ octet) * 0x100000001B3L;
        }
        return hash;
    }

    private static void xavierUniform(float[] values, ParameterLayout.Slot slot, long key) {
        List<Integer> shape = slot.shape();
        int fanOut = shape.get(0);
        int fanIn = slot.size() / fanOut;
        uniform(values, key, Math.sqrt(6.0 / (fanIn + fanOut)));
    }

    private static void uniform(float[] values, long key, double bound) {
        for (int i = 0; i < values.length; i++) {
            double unit = (Mixer.mix(key, i) >>> 11) * 0x1p-53;
            values[i] = (float) ((2 * unit - 1) * bound);
        }
    }
}
