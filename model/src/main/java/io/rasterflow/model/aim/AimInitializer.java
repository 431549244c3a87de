package io.rasterflow.model.aim;

import io.rasterflow.model.program.ParameterLayout;
import java.util.Arrays;
import java.util.List;

/**
 * Initial weights: Xavier-uniform matrices (the patch embedding as a linear map), zero biases, identity norms.
 *
 * <p>Drawn in Java by a counter-based generator, so that every rank has the same bits whatever its engine or processor.
 */
final class AimInitializer {
    private AimInitializer() {}

    static float[] draw(ParameterLayout layout, long seed) {
        float[] flat = new float[layout.floats()];
        long parameter = 0;
        for (ParameterLayout.Slot slot : layout.slots()) {
            int end = slot.offset() + slot.size();
            if (slot.decayed()) {
                xavierUniform(flat, slot, Mixer.mix(seed, parameter));
            } else if (slot.name().endsWith(".weight")) {
                Arrays.fill(flat, slot.offset(), end, 1f);
            }
            parameter++;
        }
        return flat;
    }

    private static void xavierUniform(float[] flat, ParameterLayout.Slot slot, long key) {
        List<Integer> shape = slot.shape();
        int fanOut = shape.get(0);
        int fanIn = slot.size() / fanOut;
        double bound = Math.sqrt(6.0 / (fanIn + fanOut));
        for (int i = 0; i < slot.size(); i++) {
            double unit = (Mixer.mix(key, i) >>> 11) * 0x1p-53;
            flat[slot.offset() + i] = (float) ((2 * unit - 1) * bound);
        }
    }
}
