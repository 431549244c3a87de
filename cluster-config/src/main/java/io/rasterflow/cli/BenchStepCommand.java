package io.rasterflow.cli;

import io.rasterflow.model.Compute;
import io.rasterflow.model.Precision;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.Objective;
import io.rasterflow.model.bench.Floor;
import io.rasterflow.model.bench.StepBenchmark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench step}: a full training step of a trunk with a linear head. */
@Command(
        name = "step",
        description = "Times full training steps: loss, gradients, clipping, AdamW, a prefix length per image.")
final class BenchStepCommand implements Callable<Integer> {

    @Option(names = "--batch", required = true, description = "Images of a step.")
    private int batch;

    @Option(names = "--dim", required = true, description = "Width of the trunk.")
    private int dim;

    @Option(names = "--depth", required = true, description = "Blocks of the trunk.")
    private int depth;

    @Option(names = "--heads", required = true, description = "Attention heads.")
    private int heads;

    @Option(names = "--patches", required = true, description = "Patches of an image, a square number.")
    private int patches;

    @Option(names = "--patch-values", required = true, description = "Values of a patch: side x side x 3 (or x 1).")
    private int patchValues;

    @Option(names = "--precision", defaultValue = "auto", description = "fp32, bf16 or auto (${DEFAULT-VALUE}).")
    private Precision precision;

    @Option(names = "--device", defaultValue = "auto", description = "auto, cpu or cuda:N (${DEFAULT-VALUE}).")
    private String device;

    @Option(names = "--activation-bytes", defaultValue = "0", description = "Memory for activations, 0: no limit.")
    private long activationBytes;

    @Option(names = "--threads", defaultValue = "0", description = "Threads; 0 is one per core.")
    private int threads;

    @Option(names = "--steps", defaultValue = "8", description = "Measured steps, after 4 others (${DEFAULT-VALUE}).")
    private int steps;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        int used = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
        AimConfig model = model();
        StepBenchmark step =
                StepBenchmark.run(model, new Compute(precision, device, activationBytes, used), batch, steps);
        long peak = peakResidentBytes();
        double flops = 6.0 * parameters() * batch * patches;
        Floor floor = Floor.measure(batch * patches, dim, precision, used);
        System.out.printf(
                "%.4f s/step (gradients %.4f, update %.4f)  %.1f images/s  %.0f GFLOP/s  %.0f MB resident at most%n",
                step.medianSeconds(),
                step.gradientSeconds(),
                step.updateSeconds(),
                batch / step.medianSeconds(),
                flops / step.medianSeconds() / 1e9,
                peak / 1e6);
        System.out.printf(
                "floor: products alone %.4f s at %.0f GFLOP/s, copies at %.1f GB/s%n",
                flops / floor.productFlops(), floor.productFlops() / 1e9, floor.copyBytes() / 1e9);
        if (json) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("medianSeconds", step.medianSeconds());
            fields.put("imagesPerSecond", batch / step.medianSeconds());
            fields.put("gradientSeconds", step.gradientSeconds());
            fields.put("updateSeconds", step.updateSeconds());
            fields.put("threads", used);
            fields.put("flops", flops);
            fields.put("floorSeconds", flops / floor.productFlops());
            fields.put("productFlopsPerSecond", floor.productFlops());
            fields.put("copyBytesPerSecond", floor.copyBytes());
            fields.put("peakResidentBytes", peak);
            System.out.println(Json.line(fields));
        }
        return 0;
    }

    /** Parameters of trunk and linear head, as the peer counts them. */
    private long parameters() {
        long block = 12L * dim * dim + 4L * dim;
        return depth * block + 2L * patchValues * dim + 3L * dim + patchValues;
    }

    private AimConfig model() {
        int grid = (int) Math.round(Math.sqrt(patches));
        int channels = isSquare(patchValues) ? 1 : 3;
        int side = (int) Math.round(Math.sqrt(patchValues / (double) channels));
        if (grid * grid != patches || side * side * channels != patchValues) {
            throw new IllegalArgumentException("--patches must be a square and --patch-values a square or three times"
                    + " one but are " + patches + " and " + patchValues + "; try 256 and 588, or 49 and 48");
        }
        return new AimConfig(
                grid * side,
                side,
                channels,
                new AimConfig.Trunk(dim, depth, heads),
                new AimConfig.Head(AimConfig.Head.Kind.NONE, dim, 0),
                Objective.PAPER,
                1e-6);
    }

    private static boolean isSquare(int value) {
        int root = (int) Math.round(Math.sqrt(value));
        return root * root == value;
    }

    /** High-water mark of the resident set, from the kernel. */
    private static long peakResidentBytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmHWM"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .findFirst()
                .orElse(0);
    }
}
