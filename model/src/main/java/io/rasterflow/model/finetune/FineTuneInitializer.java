package io.rasterflow.model.finetune;

import io.rasterflow.model.checkpoint.Tensor;
import java.nio.FloatBuffer;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * New weights of adapters and head: B zero, so that the adapted trunk begins as the frozen one; the query normal with
 * deviation 0.02; A and the head's linears uniform within ±1/√D.
 */
final class FineTuneInitializer {
    private static final long PURPOSE = 0x46696E6500000000L;
    private static final double QUERY_DEVIATION = 0.02;

    private FineTuneInitializer() {}

    /** The parameters that no checkpoint brings, by name. */
    static SortedMap<String, Tensor> draw(FineTuneLayout layout, int dim, long seed) {
        SortedMap<String, Tensor> drawn = new TreeMap<>();
        double bound = 1 / Math.sqrt(dim);
        long counter = 0;
        for (FineTuneLayout.Parameter parameter : layout.parameters()) {
            String name = parameter.name();
            if (name.startsWith(FineTuneParameters.HEAD)
                    || name.endsWith(FineTuneParameters.LORA_A)
                    || name.endsWith(FineTuneParameters.LORA_B)) {
                Draws draws = Draws.of(PURPOSE, seed, counter++);
                float[] values = new float[parameter.size()];
                for (int i = 0; i < values.length && !name.endsWith(FineTuneParameters.LORA_B); i++) {
                    values[i] = (float)
                            (name.equals(FineTuneParameters.QUERY)
                                    ? QUERY_DEVIATION * draws.normal()
                                    : draws.uniform(-bound, bound));
                }
                drawn.put(name, new Tensor(parameter.sizes(), FloatBuffer.wrap(values)));
            }
        }
        return drawn;
    }
}
