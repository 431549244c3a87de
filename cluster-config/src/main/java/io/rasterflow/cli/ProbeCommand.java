package io.rasterflow.cli;

import io.rasterflow.actors.probe.Evaluation;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.config.ConfigException;
import io.rasterflow.config.RunConfig;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.program.Engines;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code rasterflow probe}: evaluates the frozen features of a checkpoint. */
@Command(name = "probe", description = "Trains an attentive probe on the frozen features of a checkpoint.")
final class ProbeCommand implements Callable<Integer> {

    @Option(names = "--run", required = true, paramLabel = "DIR", description = "Run directory.")
    private Path run;

    @Option(names = "--step", description = "Checkpoint; default: the latest.")
    private Long step;

    @Option(
            names = "--data",
            split = ",",
            paramLabel = "SHARDS",
            description = "Labelled validation shards; default: those of the run.")
    private List<String> data = List.of();

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Parameters(arity = "0..*", paramLabel = "key=value", description = "Overrides, such as probe.attentive.epochs=20.")
    private List<String> overrides = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        Engines.configure(Runtime.getRuntime().availableProcessors());
        Path config = run.resolve("config.conf");
        if (!Files.isRegularFile(config)) {
            throw new ConfigException(run + " is not a run directory: it has no config.conf");
        }
        RunPlan plan = RunConfig.load(config.toString(), overrides).config().plan(run, false);
        Path checkpoint = checkpoint();
        List<String> validationShards = data.isEmpty() ? plan.data().validation() : data;
        Path cache = Path.of(plan.data().cacheDirectory());
        ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "probe");
        try (DataSet train = DataSet.open(plan.data().train(), cache);
                DataSet validation = DataSet.open(validationShards, cache);
                Evaluation evaluation = new Evaluation(system, "probe", plan, train, validation)) {
            evaluation.load(checkpoint);
            Event.Validation loss = evaluation.validate(Checkpoint.step(checkpoint));
            Event.Probe probe = evaluation.probe(Checkpoint.step(checkpoint), loss.loss());
            System.out.printf(
                    Locale.ROOT,
                    "step %d · validation loss %.4f · attentive probe %.2f %% on %d images (trained on %d)%n",
                    probe.step(),
                    loss.loss(),
                    100 * probe.accuracy(),
                    probe.validationImages(),
                    probe.trainImages());
            if (json) {
                Map<String, Object> fields = new LinkedHashMap<>();
                fields.put("step", probe.step());
                fields.put("validationLoss", loss.loss());
                fields.put("probe", probe.accuracy());
                System.out.println(Json.line(fields));
            }
        } finally {
            system.terminate();
        }
        return 0;
    }

    private Path checkpoint() throws IOException {
        if (step == null) {
            return Checkpoint.latest(run).orElseThrow(() -> new ConfigException(run + " holds no checkpoint"));
        }
        Path directory = Checkpoint.directory(run, step);
        if (!Files.isDirectory(directory)) {
            throw new ConfigException("there is no checkpoint of step " + step + " in " + run);
        }
        return directory;
    }
}
