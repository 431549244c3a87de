package io.rasterflow.model.optimizer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import java.util.List;
import java.util.Map;

/**
 * An exponential moving average of weights in float32, held beside them in the same flat pieces. After update t (the first
 * is 1):
 *
 * <pre>
 *   average += (1 - d) · (weights - average)          d = min(decay, (1 + t) / (10 + t))
 * </pre>
 *
 * <p>The second term keeps the first updates of a short run from being outweighed by the untrained weights. The result
 * depends on the weights and on t alone, so replicas that agree on these agree on the average to the bit.
 */
public final class WeightAverage implements AutoCloseable {
    private static final String LIBRARY = "average";

    private final double decay;
    private final Program program;
    private final List<NDArray> weights;
    private final List<NDArray> values;

    /**
     * @param scope owns the average
     * @param decay of {@link OptimizerConfig#ema()}, above 0
     * @param weights the flat tensors that are averaged; the average starts as a copy of them
     */
    public WeightAverage(NDManager scope, double decay, List<NDArray> weights) {
        this.decay = decay;
        this.weights = List.copyOf(weights);
        String source = ProgramArchive.source(WeightAverage.class, "average.py");
        program = Program.load(LIBRARY, "WeightAverage", Map.of(LIBRARY, source), Map.of());
        values = weights.stream().map(NDArray::duplicate).toList();
        values.forEach(value -> value.attach(scope));
    }

    /** The decay that update t uses. */
    public static double decayAt(double decay, long t) {
        return Math.min(decay, (1.0 + t) / (10.0 + t));
    }

    /** Takes in the weights after an update. */
    public void add(NDManager scope, long t) {
        NDArray share = scope.create(1 - decayAt(decay, t));
        for (int i = 0; i < values.size(); i++) {
            program.call(scope, "blend", values.get(i), weights.get(i), share);
        }
    }

    /** The average, in the same pieces as the weights; whoever sets the weights otherwise than by updates sets it too. */
    public List<NDArray> values() {
        return values;
    }

    @Override
    public void close() {
        program.close();
    }
}
