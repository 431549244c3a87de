package io.rasterflow.cli;

import com.typesafe.config.ConfigUtil;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.config.ConfigException;
import io.rasterflow.config.RunConfig;
import io.rasterflow.launch.ChildJvm;
import io.rasterflow.launch.RunCodebook;
import io.rasterflow.launch.RunDirectory;
import io.rasterflow.launch.Summary;
import io.rasterflow.launch.TrainRun;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.TrainingState;
import io.rasterflow.model.program.Engines;
import io.rasterflow.monitoring.monitor.RunSummary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code rasterflow train}: the main job. */
@Command(
        name = "train",
        description = "Pre-trains a model. Without options: a small AIM on the bundled images, in a few minutes on two"
                + " cores, with the live page.")
final class TrainCommand implements Callable<Integer> {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Mixin
    private ConfigOptions configOptions;

    @Option(names = "--run", paramLabel = "DIR", description = "Run directory; default: a new one below runs/.")
    private Path run;

    @Option(
            names = "--resume",
            description = "Continues from the latest checkpoint of --run (default: the newest run below runs/).")
    private boolean resume;

    @Option(
            names = "--from",
            paramLabel = "CHECKPOINT",
            description = "Begins a new run from a checkpoint of another one, such as runs/a/checkpoints/step-00001200;"
                    + " from a run directory, its latest. Keeps that run's configuration unless -c is given.")
    private Path from;

    @Option(names = "--nodes", paramLabel = "N", description = "Runs as N trainer processes on this machine.")
    private Integer nodes;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        ChildJvm.followParent(); // of a sweep, if it is one's child
        Engines.configure(1);
        Path directory = directory();
        Optional<Path> origin = origin();
        RunConfig.Resolved resolved = config(directory, origin);
        if (directory == null) {
            directory = RunDirectory.fresh(resolved.config().name());
        }
        directory = directory.toAbsolutePath().normalize();
        long start = System.nanoTime();
        Path source = Path.of(resolved.config().model().objective().codebook());
        Optional<Path> codebook = RunCodebook.of(resolved.config().model(), directory);
        if (codebook.isPresent()) {
            resolved = config(
                    directory,
                    origin,
                    "model.objective.codebook="
                            + ConfigUtil.quoteString(codebook.get().toString()));
        }
        RunPlan plan = plan(resolved.config(), directory, origin);
        try (RunDirectory held = RunDirectory.open(directory, resume, resolved.text())) {
            codebook.ifPresent(own -> RunCodebook.keep(source, own));
            return train(resolved.config(), plan, held.path(), start);
        }
    }

    private Path directory() {
        if (run != null || !resume) {
            return run;
        }
        return RunDirectory.newest()
                .orElseThrow(() -> new ConfigException(
                        "there is no run with a checkpoint below runs/ to resume; name one with --run DIR"));
    }

    private Optional<Path> origin() throws IOException {
        if (from == null) {
            return Optional.empty();
        }
        if (resume) {
            throw new ConfigException("--from begins a new run and --resume continues one; give either");
        }
        if (!Files.isDirectory(from)) {
            throw new ConfigException("--from " + from + " does not exist; give a checkpoint directory such as"
                    + " runs/NAME/checkpoints/step-00001200");
        }
        Optional<Path> latest = Checkpoint.latest(from);
        return latest.isPresent() ? latest : Optional.of(from.toAbsolutePath().normalize());
    }

    private RunPlan plan(RunConfig config, Path directory, Optional<Path> origin) throws IOException {
        RunPlan plan = config.plan(directory, resume, origin);
        if (origin.isEmpty()) {
            return plan;
        }
        TrainingState state = Checkpoint.state(origin.get());
        plan.requireContinues(state);
        if (state.step() == plan.train().steps()) {
            throw new ConfigException("the checkpoint is of step " + state.step()
                    + ", and so is the run's end; raise train.steps to train further");
        }
        return plan;
    }

    /** A run that goes on from a checkpoint keeps the configuration of its run unless another is given. */
    private RunConfig.Resolved config(Path directory, Optional<Path> origin, String... more) {
        List<String> overrides = new ArrayList<>(configOptions.overrides);
        overrides.addAll(List.of(more));
        if (nodes != null) {
            overrides.add("cluster.nodes=" + nodes);
        }
        String presetOrFile = configOptions.presetOrFile;
        Path source = origin.map(checkpoint -> checkpoint.resolve("../..").normalize())
                .orElse(resume ? directory : null);
        if (source != null && presetOrFile.isEmpty() && Files.isRegularFile(source.resolve("config.conf"))) {
            presetOrFile = source.resolve("config.conf").toString();
        }
        return RunConfig.load(presetOrFile, overrides);
    }

    private int train(RunConfig config, RunPlan plan, Path directory, long start) {
        boolean terminal = Boolean.getBoolean("rasterflow.terminal");
        try (TrainRun trainRun = TrainRun.start(config, plan, System.out, terminal)) {
            trainRun.page().ifPresent(page -> System.out.println("live page        " + page));
            System.out.println("run directory    " + directory);
            if (!config.cluster().spawn()) {
                System.out.println("waiting for      " + config.cluster().nodes()
                        + " × ./rasterflow node --role trainer --join " + trainRun.address());
            }
            if (config.cluster().spawn() && config.cluster().nodes() > 1) {
                System.out.println("more may join    ./rasterflow node --role trainer --join " + trainRun.address());
            }
            Thread onInterrupt = new Thread(
                    () -> {
                        System.out.println("\nstopping at the next step, with a checkpoint ...");
                        trainRun.stop(PATIENCE);
                        trainRun.close();
                        System.out.println("continue with: ./rasterflow train --resume --run " + directory);
                    },
                    "drain-on-interrupt");
            Runtime.getRuntime().addShutdownHook(onInterrupt);
            Coordinator.Outcome outcome = trainRun.await();
            removeHook(onInterrupt);
            if (outcome.outcome().equals("failed")) {
                throw new IllegalStateException(outcome.detail());
            }
            RunSummary summary = trainRun.summary();
            Summary.print(System.out, summary, outcome, directory, (System.nanoTime() - start) * 1e-9);
            if (json) {
                System.out.println(Json.line(Summary.fields(summary, outcome, directory)));
            }
            return 0;
        }
    }

    static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException shuttingDown) {
            // Ctrl-C came first: the hook prints the end, this thread has nothing more to say.
            Thread.currentThread().interrupt();
        }
    }
}
