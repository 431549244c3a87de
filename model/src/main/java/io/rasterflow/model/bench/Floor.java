package io.rasterflow.model.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.rasterflow.model.Precision;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.Processor;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import java.util.Map;

/**
 * What the processor does at best at the shapes of a step; a step cannot be faster than its matrix products at this rate.
 *
 * @param productFlops matrix products, operations a second
 * @param copyBytes bytes read and written a second by a copy too large for the caches
 */
public record Floor(double productFlops, double copyBytes) {
    private static final int ROUNDS = 5;

    /**
     * @param tokens rows of the products
     * @param width D of the products (D, 4D)
     */
    public static Floor measure(int tokens, int width, Precision precision) {
        Map<String, Object> attributes =
                Map.of("tokens", tokens, "width", width, "kind", Processor.operandKind(precision, Device.cpu()));
        String source = ProgramArchive.source(Floor.class, "floor.py");
        try (Program program = Program.load("floor", "Floor", Map.of("floor", source), attributes);
                NDManager scope = Engines.newScope()) {
            double flops = 3.0 * 2 * tokens * width * 4 * width / seconds(program, scope, "products");
            double bytes = 2.0 * 256 * (1 << 20) / seconds(program, scope, "copies");
            return new Floor(flops, bytes);
        }
    }

    /** Best time of the work alone: what three repetitions take beyond one, whose set-up is the same. */
    private static double seconds(Program program, NDManager scope, String method) {
        double once = Double.POSITIVE_INFINITY;
        double thrice = Double.POSITIVE_INFINITY;
        for (int i = 0; i < ROUNDS; i++) {
            try (NDManager call = scope.newSubManager()) {
                once = Math.min(once, time(program, call, method, 1));
                thrice = Math.min(thrice, time(program, call, method, 3));
            }
        }
        return (thrice - once) / 2;
    }

    private static double time(Program program, NDManager call, String method, int rounds) {
        long start = System.nanoTime();
        program.call(call, method, call.create(rounds)).close();
        return (System.nanoTime() - start) * 1e-9;
    }
}
