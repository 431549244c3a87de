package io.rasterflow.cli;

import io.rasterflow.actors.finetune.FineTuneReport;
import io.rasterflow.actors.finetune.FineTuning;
import io.rasterflow.config.ConfigException;
import io.rasterflow.config.RunConfig;
import io.rasterflow.launch.FineTuneConsole;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.finetune.FineTuneConfig;
import io.rasterflow.model.finetune.FineTuneFiles;
import io.rasterflow.model.program.Engines;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.ShardRef;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.Callable;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code rasterflow finetune}: trains a checkpoint's trunk, or adapters on it, to classify. */
@Command(
        name = "finetune",
        description =
                "Fine-tunes a checkpoint with a classifier on top, on labelled images: low-rank adapters on frozen"
                        + " weights (lora) or every weight (full). All cores work on one step.",
        footer = "%nAccuracies are those after the last epoch; settings stand under finetune in defaults.conf.")
final class FineTuneCommand implements Callable<Integer> {

    @Option(names = "--run", required = true, paramLabel = "DIR", description = "Run directory.")
    private Path run;

    @Option(names = "--step", description = "Checkpoint; default: the latest.")
    private Long step;

    @Option(names = "--kind", paramLabel = "lora|full", description = "What is trained; default: finetune.kind.")
    private FineTuneConfig.Kind kind;

    @Option(
            names = "--data",
            split = ",",
            paramLabel = "SHARDS",
            description = "Labelled shards to train on; default: data.train of the run.")
    private List<String> data = List.of();

    @Option(
            names = "--validation",
            split = ",",
            paramLabel = "SHARDS",
            description = "Labelled shards that accuracy is taken on; default: data.validation of the run.")
    private List<String> validationData = List.of();

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Where the result goes; default: finetune/KIND-step-STEP in the run directory.")
    private Path out;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Parameters(arity = "0..*", paramLabel = "key=value", description = "Overrides, such as finetune.epochs=20.")
    private List<String> overrides = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        Engines.configure(Runtime.getRuntime().availableProcessors());
        RunConfig config = config();
        Path checkpoint = Checkpoints.find(run, step);
        Path target = out != null ? out : defaultOut(config.finetune().kind(), Checkpoint.step(checkpoint));
        FineTuneFiles.requireFree(target);
        ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "finetune");
        try (DataSet train = data.isEmpty()
                        ? config.data().openTrain()
                        : config.data().open(data);
                DataSet validation = validationData.isEmpty()
                        ? config.data().openValidation()
                        : config.data().open(validationData)) {
            requireApart(train, validation);
            SortedMap<String, Tensor> weights =
                    Checkpoint.read(checkpoint).snapshot().weights();
            try (FineTuning tuning = new FineTuning(
                    system,
                    config.model(),
                    config.finetune(),
                    config.train().compute(),
                    config.data(),
                    train,
                    validation)) {
                FineTuneReport report = tune(tuning, weights);
                Map<String, Object> fields = fields(config.finetune(), checkpoint, target, report);
                Map<String, Object> written = new LinkedHashMap<>(fields);
                written.put("history", report.epochs());
                written.put("config", config.finetune());
                FineTuneFiles.write(target, tuning.tuner(), config.finetune(), written);
                print(report, target);
                if (json) {
                    System.out.println(Json.line(fields));
                }
            }
        } finally {
            system.terminate();
        }
        return 0;
    }

    private static FineTuneReport tune(FineTuning tuning, SortedMap<String, Tensor> weights) throws IOException {
        try (FineTuneConsole console = new FineTuneConsole(System.out, Boolean.getBoolean("rasterflow.terminal"))) {
            return tuning.run(weights, console);
        }
    }

    private RunConfig config() {
        List<String> all = new ArrayList<>(overrides);
        if (kind != null) {
            all.add("finetune.kind=" + kind.name().toLowerCase(Locale.ROOT));
        }
        return Checkpoints.config(run, all);
    }

    private Path defaultOut(FineTuneConfig.Kind chosen, long checkpointStep) {
        return run.resolve("finetune")
                .resolve(String.format(
                        Locale.ROOT, "%s-step-%08d", chosen.name().toLowerCase(Locale.ROOT), checkpointStep));
    }

    /** An accuracy on images that were trained on would say nothing. */
    private static void requireApart(DataSet train, DataSet validation) throws IOException {
        Set<URI> trained = new HashSet<>();
        for (ShardRef shard : train.shards()) {
            trained.add(shard.identity());
        }
        for (ShardRef shard : validation.shards()) {
            if (trained.contains(shard.identity())) {
                throw new ConfigException(
                        shard.name() + " is among the training and the validation shards; give others with"
                                + " --data or --validation");
            }
        }
    }

    private static Map<String, Object> fields(
            FineTuneConfig config, Path checkpoint, Path target, FineTuneReport report) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("kind", config.kind().name().toLowerCase(Locale.ROOT));
        fields.put("step", Checkpoint.step(checkpoint));
        fields.put("accuracy", report.last().accuracy());
        fields.put("top5", report.last().top5());
        fields.put("epochs", report.epochs().size());
        fields.put("imagesPerSecond", report.imagesPerSecond());
        fields.put("trainableParameters", report.trainableParameters());
        fields.put("trainLoss", report.last().trainLoss());
        fields.put("validationLoss", report.last().validationLoss());
        fields.put("trainImages", report.trainImages());
        fields.put("validationImages", report.last().validationImages());
        fields.put("badSamples", report.badSamples());
        fields.put("seconds", report.seconds());
        fields.put("out", target.toAbsolutePath().normalize().toString());
        return fields;
    }

    private static void print(FineTuneReport report, Path target) {
        System.out.printf(
                Locale.ROOT,
                "top-1 %.2f %% · top-5 %.2f %% on %d images after %d epochs on %d · %d trainable parameters · %.0f"
                        + " images/s · %s%n",
                100 * report.last().accuracy(),
                100 * report.last().top5(),
                report.last().validationImages(),
                report.epochs().size(),
                report.trainImages(),
                report.trainableParameters(),
                report.imagesPerSecond(),
                target);
    }
}
