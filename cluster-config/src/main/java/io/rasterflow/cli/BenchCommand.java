package io.rasterflow.cli;

import io.rasterflow.config.RunConfig;
import io.rasterflow.model.Compute;
import io.rasterflow.model.Precision;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.Objective;
import io.rasterflow.model.bench.Floor;
import io.rasterflow.model.bench.StepBenchmark;
import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.bench.InputBenchmark;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.SystemMaterializer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rasterflow bench}: measures parts of the system on this machine. */
@Command(
        name = "bench",
        description = "Measures parts of the system on this machine.",
        subcommands = {BenchCommand.Step.class, BenchCommand.Input.class})
final class BenchCommand implements Runnable {

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "say what to measure: step or input");
    }

    /** {@code bench step}: a full training step of a trunk with a linear head. */
    @Command(
            name = "step",
            description = "Times full training steps: loss, gradients, clipping, AdamW, a prefix length per image.")
    static final class Step implements Callable<Integer> {

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

        @Option(
                names = "--steps",
                defaultValue = "8",
                description = "Measured steps, after 4 others (${DEFAULT-VALUE}).")
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
                throw new IllegalArgumentException(
                        "--patches must be a square and --patch-values a square or three times" + " one but are "
                                + patches + " and " + patchValues + "; try 256 and 588, or 49 and 48");
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

    /** {@code bench input}: the training stream of a shard. */
    @Command(
            name = "input",
            description =
                    "Times the input pipeline: reading, decoding, random resized crop (area 0.4 to 1, bicubic), flip,"
                            + " normalising.")
    static final class Input implements Callable<Integer> {

        @Option(names = "--shard", required = true, split = ",", paramLabel = "SHARDS", description = "Shards to read.")
        private List<String> shards;

        @Option(names = "--size", defaultValue = "224", description = "Side of the output (${DEFAULT-VALUE}).")
        private int size;

        @Option(names = "--channels", defaultValue = "3", description = "1 grey, 3 RGB (${DEFAULT-VALUE}).")
        private int channels;

        @Option(names = "--threads", defaultValue = "0", description = "Decode threads; 0 is one per core.")
        private int threads;

        @Option(
                names = "--seconds",
                defaultValue = "10",
                description = "Measured seconds, after half as many others (${DEFAULT-VALUE}).")
        private double seconds;

        @Option(names = "--json", description = "Prints one JSON object as the last line.")
        private boolean json;

        @CommandLine.Spec
        private CommandLine.Model.CommandSpec spec;

        @Override
        public Integer call() throws IOException, InterruptedException {
            require(size >= 1 && size <= 4096, "--size must be between 1 and 4096 but is " + size);
            require(channels == 1 || channels == 3, "--channels must be 1 or 3 but is " + channels);
            require(threads >= 0 && threads <= 1024, "--threads must be between 0 and 1024 but is " + threads);
            require(seconds > 0 && seconds <= 3600, "--seconds must be between 0 and 3600 but is " + seconds);
            int used = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
            AugmentConfig augment = new AugmentConfig(
                    size,
                    channels,
                    0.4,
                    1,
                    3.0 / 4,
                    4.0 / 3,
                    0.5,
                    size,
                    Collections.nCopies(channels, 0.5),
                    Collections.nCopies(channels, 0.25));
            ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "bench");
            try (DataSet data = RunConfig.load("", List.of()).config().data().open(shards)) {
                print(
                        used,
                        InputBenchmark.run(
                                data,
                                augment,
                                used,
                                seconds,
                                SystemMaterializer.get(system).materializer()));
            } finally {
                system.terminate();
            }
            return 0;
        }

        private void require(boolean condition, String message) {
            if (!condition) {
                throw new CommandLine.ParameterException(spec.commandLine(), message);
            }
        }

        private void print(int used, InputBenchmark input) {
            double perCore = input.imagesPerSecond() / used;
            System.out.printf(
                    Locale.ROOT,
                    "%.0f images/s, %.0f per core (reading %.1f %%, decoding and augmenting %.1f %% of %d threads)%n",
                    input.imagesPerSecond(),
                    perCore,
                    100 * input.fetchSeconds() / input.seconds() / used,
                    100 * input.decodeSeconds() / input.seconds() / used,
                    used);
            if (json) {
                Map<String, Object> fields = new LinkedHashMap<>();
                fields.put("imagesPerSecond", input.imagesPerSecond());
                fields.put("imagesPerSecondPerCore", perCore);
                fields.put("threads", used);
                fields.put("images", input.images());
                fields.put("seconds", input.seconds());
                fields.put("fetchSeconds", input.fetchSeconds());
                fields.put("decodeSeconds", input.decodeSeconds());
                fields.put("badSamples", input.badSamples());
                System.out.println(Json.line(fields));
            }
        }
    }
}
