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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code bench recovery}: how soon a run goes on when a trainer's process is killed, and how long the others wait when the
 * one that takes its place joins.
 */
@Command(
        name = "recovery",
        description =
                "Trains with several processes, kills one of them again and again (SIGKILL) and times from the kill"
                        + " to the next step that is complete, and between the steps before and after its successor"
                        + " joins. Default settings but for the length of the run.")
final class BenchRecoveryCommand implements Callable<Integer> {

    private static final long PATIENCE_SECONDS = 120;
    /** In which all nodes have told of a step that is complete. */
    private static final long NEWS_MILLIS = 1_000;

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

    private final BlockingQueue<Event.Step> seen = new LinkedBlockingQueue<>();

    /**
     * Of one kill, in seconds.
     *
     * @param repair from the kill to the next completed step
     * @param join between the last step without the successor and the first with it
     * @param step the longest of the undisturbed ones before
     */
    private record Measured(double repair, double join, double step) {}

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
        List<Measured> measured;
        try (RunDirectory held = RunDirectory.open(directory.toAbsolutePath(), false, resolved.text())) {
            RunPlan plan = resolved.config().plan(held.path(), false);
            PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
            try (TrainRun trainRun = TrainRun.start(resolved.config(), plan, nowhere, false)) {
                trainRun.onEvent(event -> {
                    if (event instanceof Event.Step step) {
                        seen.add(step);
                    }
                });
                measured = measure(trainRun);
                trainRun.stop(Duration.ofSeconds(30));
            }
        }
        print(measured, directory);
        return 0;
    }

    private List<Measured> measure(TrainRun trainRun) throws InterruptedException {
        Random random = new Random(1);
        List<Measured> measured = new ArrayList<>();
        long full = awaitJoin().after().generation();
        while (measured.size() < kills) {
            // Somewhere within a step, once the generation has found its pace.
            double step = longestStep(1 + 2 * random.nextDouble());
            List<Process> victims =
                    List.copyOf(trainRun.processes().orElseThrow().processes().values());
            Process victim = victims.get(random.nextInt(victims.size()));
            seen.clear();
            // By the clock that steps are marked with when they are complete.
            long begun = System.currentTimeMillis();
            victim.destroyForcibly();
            Event.Step next = awaitStep(full);
            double repair = (next.timeMillis() - begun) * 1e-3;
            Join join = awaitJoin();
            full = join.after().generation();
            double wait = (join.after().timeMillis() - Math.max(join.beforeMillis(), next.timeMillis())) * 1e-3;
            measured.add(new Measured(repair, wait, step));
            System.out.printf(
                    Locale.ROOT,
                    "kill %d of %d: step %d after %.3f s; its successor joins within %.3f s between two steps"
                            + " (the longest before: %.3f s)%n",
                    measured.size(),
                    kills,
                    next.step(),
                    repair,
                    wait,
                    step);
        }
        return measured;
    }

    /**
     * All nodes train again.
     *
     * @param beforeMillis when the last step was complete before that; the least number if none was
     * @param after the first step of all
     */
    private record Join(long beforeMillis, Event.Step after) {}

    private Join awaitJoin() throws InterruptedException {
        long before = Long.MIN_VALUE;
        Event.Step after = null;
        long end = Long.MAX_VALUE;
        // Nodes tell of their steps one after the other: those of a survivor can come after the first of a joiner.
        while (after == null || System.nanoTime() < end) {
            Event.Step next = after == null ? next() : seen.poll(NEWS_MILLIS, TimeUnit.MILLISECONDS);
            if (next == null) {
                continue;
            }
            if (next.worldSize() != nodes) {
                before = Math.max(before, next.timeMillis());
            } else if (after == null) {
                after = next;
                end = System.nanoTime() + NEWS_MILLIS * 1_000_000;
            } else if (next.timeMillis() < after.timeMillis()) {
                after = next;
            }
        }
        return new Join(before, after);
    }

    private Event.Step awaitStep(long beyondGeneration) throws InterruptedException {
        while (true) {
            Event.Step next = next();
            if (next.generation() > beyondGeneration) {
                return next;
            }
        }
    }

    /** Lets the run go on for a while, and for two steps at least. Returns the longest time between two steps of one rank. */
    private double longestStep(double seconds) throws InterruptedException {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        long longest = 0;
        long last = 0;
        for (long left = end - System.nanoTime(); left > 0 || longest == 0; left = end - System.nanoTime()) {
            Event.Step next = left > 0 ? seen.poll(left, TimeUnit.NANOSECONDS) : next();
            if (next != null && next.rank() == 0) {
                longest = Math.max(longest, last == 0 ? 0 : next.timeMillis() - last);
                last = next.timeMillis();
            }
        }
        return longest * 1e-3;
    }

    private Event.Step next() throws InterruptedException {
        Event.Step next = seen.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (next == null) {
            throw new IllegalStateException("no step was completed within " + PATIENCE_SECONDS
                    + " s; the trainers' logs are in the run directory (keep it with --run)");
        }
        return next;
    }

    private void print(List<Measured> measured, Path directory) {
        double[] repairs = sorted(measured, Measured::repair);
        double[] joins = sorted(measured, Measured::join);
        System.out.printf(
                Locale.ROOT,
                "%d kills: next step after %.3f s in the median, %.3f s at worst%n"
                        + "%d joins: %.3f s between two steps in the median, %.3f s at worst; the longest step before takes %.3f s%n",
                kills,
                median(repairs),
                repairs[kills - 1],
                kills,
                median(joins),
                joins[kills - 1],
                median(sorted(measured, Measured::step)));
        System.out.println("journals in " + directory);
        if (json) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("medianSeconds", median(repairs));
            fields.put("maxSeconds", repairs[kills - 1]);
            fields.put("joinMedianSeconds", median(joins));
            fields.put("joinMaxSeconds", joins[kills - 1]);
            fields.put("stepMedianSeconds", median(sorted(measured, Measured::step)));
            fields.put("kills", kills);
            System.out.println(Json.line(fields));
        }
    }

    private static double[] sorted(List<Measured> measured, ToDoubleFunction<Measured> part) {
        return measured.stream().mapToDouble(part).sorted().toArray();
    }

    private static double median(double[] sorted) {
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }
}
