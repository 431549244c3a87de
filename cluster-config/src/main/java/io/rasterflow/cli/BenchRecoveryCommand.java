package io.rasterflow.cli;

import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.config.RunConfig;
import io.rasterflow.launch.RunDirectory;
import io.rasterflow.launch.TrainRun;
import io.rasterflow.monitoring.event.Event;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench recovery}: how soon a run goes on when a trainer's process is killed. */
@Command(
        name = "recovery",
        description =
                "Trains with several processes, kills one of them again and again (SIGKILL) and times from the kill"
                        + " to the next step that is complete. Default settings but for the length of the run.")
final class BenchRecoveryCommand implements Callable<Integer> {

    private static final long PATIENCE_SECONDS = 120;

    @Mixin
    private ConfigOptions configOptions;

    @Option(names = "--kills", defaultValue = "20", description = "Kills (${DEFAULT-VALUE}).")
    private int kills;

    @Option(names = "--nodes", defaultValue = "2", description = "Trainer processes (${DEFAULT-VALUE}).")
    private int nodes;

    @Option(
            names = "--run",
            paramLabel = "DIR",
            description = "Run directory, which is kept; default: a temporary one.")
    private Path run;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    private final BlockingQueue<Seen> seen = new LinkedBlockingQueue<>();

    /** A completed step and when the monitor heard of it. */
    private record Seen(Event.Step step, long nanos) {}

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (kills < 1 || nodes < 2) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(),
                    "--kills must be at least 1 and --nodes at least 2, but are " + kills + " and " + nodes);
        }
        List<String> overrides = new ArrayList<>(List.of(
                "cluster.nodes=" + nodes,
                "cluster.replicas=1",
                "cluster.restarts=1000000",
                "train.steps=100000000",
                "train.checkpointEverySteps=100000000",
                "probe.everySteps=100000000",
                "monitor.page=false"));
        overrides.addAll(configOptions.overrides);
        RunConfig.Resolved resolved = RunConfig.load(configOptions.presetOrFile, overrides);
        Path directory = run != null ? run : Files.createTempDirectory("rasterflow-recovery");
        double[] seconds;
        try (RunDirectory held = RunDirectory.open(directory.toAbsolutePath(), false, resolved.text())) {
            RunPlan plan = resolved.config().plan(held.path(), false);
            PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
            try (TrainRun trainRun = TrainRun.start(resolved.config(), plan, nowhere, false)) {
                trainRun.onEvent(event -> {
                    if (event instanceof Event.Step step) {
                        seen.add(new Seen(step, System.nanoTime()));
                    }
                });
                seconds = measure(trainRun);
                trainRun.stop(Duration.ofSeconds(30));
            }
        }
        print(seconds, directory);
        return 0;
    }

    private double[] measure(TrainRun trainRun) throws InterruptedException {
        Random random = new Random(1);
        double[] seconds = new double[kills];
        for (int kill = 0; kill < kills; kill++) {
            long full = awaitStep(step -> step.worldSize() == nodes).step().generation();
            // Somewhere within a step, once the generation has found its pace.
            pass(1 + 2 * random.nextDouble());
            List<Process> victims =
                    List.copyOf(trainRun.processes().orElseThrow().processes().values());
            Process victim = victims.get(random.nextInt(victims.size()));
            seen.clear();
            long begun = System.nanoTime();
            victim.destroyForcibly();
            Seen next = awaitStep(step -> step.generation() > full);
            seconds[kill] = (next.nanos() - begun) * 1e-9;
            System.out.printf(
                    Locale.ROOT,
                    "kill %d of %d: step %d after %.3f s%n",
                    kill + 1,
                    kills,
                    next.step().step(),
                    seconds[kill]);
        }
        return seconds;
    }

    /** Lets the run go on for a while. */
    private void pass(double seconds) throws InterruptedException {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
            seen.poll(left, TimeUnit.NANOSECONDS);
        }
    }

    private Seen awaitStep(Predicate<Event.Step> wanted) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
            Seen next = seen.poll(left, TimeUnit.NANOSECONDS);
            if (next != null && wanted.test(next.step())) {
                return next;
            }
        }
        throw new IllegalStateException("no step was completed within " + PATIENCE_SECONDS
                + " s; the trainers' logs are in the run directory (keep it with --run)");
    }

    private void print(double[] seconds, Path directory) {
        double[] sorted = seconds.clone();
        Arrays.sort(sorted);
        double median = (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
        double worst = sorted[sorted.length - 1];
        System.out.printf(
                Locale.ROOT, "%d kills: next step after %.3f s in the median, %.3f s at worst%n", kills, median, worst);
        System.out.println("journals in " + directory);
        if (json) {
            System.out.println(Json.line(Map.of("medianSeconds", median, "maxSeconds", worst, "kills", kills)));
        }
    }
}
