package io.rasterflow.model.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.rasterflow.model.Precision;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.Processor;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

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
     * @param threads that work at the same time, each on its share of the rows
     */
    public static Floor measure(int tokens, int width, Precision precision, int threads) {
        int share = Math.max(1, tokens / threads);
        int kind = Processor.operandKind(precision, Device.cpu());
        Map<String, Object> attributes = Map.of("tokens", share, "width", width, "kind", kind);
        String source = ProgramArchive.source(Floor.class, "floor.py");
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Program> programs = new ArrayList<>();
        try {
            for (int i = 0; i < threads; i++) {
                programs.add(Program.load("floor", "Floor", Map.of("floor", source), attributes));
            }
            double flops = threads * 3.0 * 2 * share * width * 4 * width / seconds(pool, programs, "products");
            double bytes = threads * 2.0 * 256 * (1 << 20) / seconds(pool, programs, "copies");
            return new Floor(flops, bytes);
        } finally {
            pool.shutdownNow();
            programs.forEach(Program::close);
        }
    }

    /** Best time of the work alone: what three repetitions take beyond one, whose set-up is the same. */
    private static double seconds(ExecutorService pool, List<Program> programs, String method) {
        double once = Double.POSITIVE_INFINITY;
        double thrice = Double.POSITIVE_INFINITY;
        for (int i = 0; i < ROUNDS; i++) {
            once = Math.min(once, together(pool, programs, method, 1));
            thrice = Math.min(thrice, together(pool, programs, method, 3));
        }
        return (thrice - once) / 2;
    }

    /** Mean time of the threads. */
    private static double together(ExecutorService pool, List<Program> programs, String method, int rounds) {
        List<Callable<Double>> work = new ArrayList<>();
        programs.forEach(program -> work.add(() -> time(program, method, rounds)));
        try {
            double sum = 0;
            for (Future<Double> seconds : pool.invokeAll(work)) {
                sum += seconds.get();
            }
            return sum / programs.size();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted while measuring the processor");
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    private static double time(Program program, String method, int rounds) {
        try (NDManager call = Engines.newScope()) {
            long start = System.nanoTime();
            program.call(call, method, call.create(rounds));
            return (System.nanoTime() - start) * 1e-9;
        }
    }
}
