package io.rasterflow.cli;

import io.rasterflow.config.ConfigException;
import io.rasterflow.config.Presets;
import io.rasterflow.config.RunConfig;
import io.rasterflow.model.Precision;
import io.rasterflow.model.aim.AimCost;
import io.rasterflow.model.program.Processor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code rasterflow model}: what a model is and costs, without building it. */
@Command(
        name = "model",
        description = "Lists the presets and describes what a model is and costs.",
        subcommands = {ModelCommand.Describe.class, ModelCommand.Presented.class},
        synopsisSubcommandLabel = "list|describe")
final class ModelCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "one of list and describe is missing");
    }

    /** {@code model list}. */
    @Command(name = "list", description = "Lists the bundled presets.")
    static final class Presented implements Callable<Integer> {

        @Option(names = "--json", description = "Prints one JSON object as the last line.")
        private boolean json;

        @Override
        public Integer call() {
            Map<String, Object> presets = new LinkedHashMap<>();
            for (String name : Presets.NAMES) {
                long parameters =
                        new AimCost(RunConfig.load(name, List.of()).config().model()).parameters(AimCost.Part.TRUNK);
                System.out.printf("%-12s %10s  %s%n", name, ModelReport.count(parameters), Presets.title(name));
                presets.put(name, Map.of("title", Presets.title(name), "trunkParameters", parameters));
            }
            if (json) {
                System.out.println(Json.line(new LinkedHashMap<>(Map.of("presets", presets))));
            }
            return 0;
        }
    }

    /** {@code model describe}. */
    @Command(
            name = "describe",
            description =
                    "Prints shapes, parameters, FLOPs, memory and an estimate of the speed, all by formula: a model of"
                            + " any size can be asked.")
    static final class Describe implements Callable<Integer> {

        @Parameters(
                arity = "0..*",
                paramLabel = "PRESET|FILE key=value",
                description =
                        "Preset or HOCON file (default: the defaults), then overrides such as model.trunk.dim=512.")
        private List<String> words = new ArrayList<>();

        @Option(names = "--micro-batch", paramLabel = "B", description = "Images; default: train.batch / microBatches.")
        private Integer microBatch;

        @Option(
                names = "--flops",
                paramLabel = "RATE",
                defaultValue = "1e12",
                description = "FLOP/s that the machine reaches in training; default ${DEFAULT-VALUE}.")
        private double flops;

        @Option(
                names = "--ranks",
                paramLabel = "W",
                description = "World size for the communication; default: that of the configuration.")
        private Integer ranks;

        @Option(names = "--json", description = "Prints one JSON object as the last line.")
        private boolean json;

        @Override
        public Integer call() {
            RunConfig config = load();
            require(flops > 0 && Double.isFinite(flops), "--flops must be above 0 but is " + flops);
            require(microBatch == null || microBatch >= 1, "--micro-batch must be at least 1 but is " + microBatch);
            require(ranks == null || ranks >= 1, "--ranks must be at least 1 but is " + ranks);
            int images = microBatch != null
                    ? microBatch
                    : (config.train().batch() + config.train().microBatches() - 1)
                            / config.train().microBatches();
            int world = ranks != null
                    ? ranks
                    : config.cluster().nodes()
                            * config.cluster().resolvedReplicas(config.train().device());
            Precision precision = Processor.resolve(config.train().precision());
            ModelReport report = new ModelReport(config, new AimCost(config.model()), images, precision, flops, world);
            report.print(System.out);
            if (json) {
                System.out.println(Json.line(report.fields()));
            }
            return 0;
        }

        /** The first word without an equals sign is the preset. */
        private RunConfig load() {
            List<String> overrides = new ArrayList<>(words);
            String preset = "";
            if (!words.isEmpty() && !words.get(0).contains("=")) {
                preset = overrides.remove(0);
            }
            return RunConfig.load(preset, overrides).config();
        }

        private static void require(boolean condition, String message) {
            if (!condition) {
                throw new ConfigException(message);
            }
        }
    }
}
