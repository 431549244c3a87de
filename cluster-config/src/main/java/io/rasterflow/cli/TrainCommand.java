package io.rasterflow.cli;

import com.typesafe.config.ConfigUtil;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.config.ConfigException;
import io.rasterflow.config.RunConfig;
import io.rasterflow.launch.LocalNodes;
import io.rasterflow.launch.RunCodebook;
import io.rasterflow.launch.RunDirectory;
import io.rasterflow.launch.Summary;
import io.rasterflow.launch.TrainRun;
import io.rasterflow.model.program.Engines;
import io.rasterflow.monitoring.monitor.RunSummary;
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

    @Option(names = "--nodes", paramLabel = "N", description = "Runs as N trainer processes on this machine.")
    private Integer nodes;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Override
    public Integer call() {
        LocalNodes.followParent(); // of a sweep, if it is one's child
        Engines.configure(1);
        Path directory = directory();
        RunConfig.Resolved resolved = config(directory);
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
                    "model.objective.codebook="
                            + ConfigUtil.quoteString(codebook.get().toString()));
        }
        try (RunDirectory held = RunDirectory.open(directory, resume, resolved.text())) {
            codebook.ifPresent(own -> RunCodebook.keep(source, own));
            return train(resolved.config(), held.path(), start);
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

    /** A resumed run keeps its configuration unless another is given. */
    private RunConfig.Resolved config(Path directory, String... more) {
        List<String> overrides = new ArrayList<>(configOptions.overrides);
        overrides.addAll(List.of(more));
        if (nodes != null) {
            overrides.add("cluster.nodes=" + nodes);
        }
        String presetOrFile = configOptions.presetOrFile;
        if (resume && presetOrFile.isEmpty() && Files.isRegularFile(directory.resolve("config.conf"))) {
            presetOrFile = directory.resolve("config.conf").toString();
        }
        return RunConfig.load(presetOrFile, overrides);
    }

    private int train(RunConfig config, Path directory, long start) {
        boolean terminal = Boolean.getBoolean("rasterflow.terminal");
        try (TrainRun trainRun = TrainRun.start(config, directory, resume, System.out, terminal)) {
            trainRun.page().ifPresent(page -> System.out.println("live page        " + page));
            System.out.println("run directory    " + directory);
            if (!config.cluster().spawn()) {
                System.out.println("waiting for      " + config.cluster().nodes()
                        + " × ./rasterflow node --role trainer --join " + trainRun.address());
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
