package io.rasterflow.cli;

import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.config.RunConfig;
import io.rasterflow.launch.RunDirectory;
import io.rasterflow.launch.TrainRun;
import io.rasterflow.monitoring.science.Interval;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench monitor}: what it costs a run to be seen. */
@Command(
        name = "monitor",
        description =
                "Trains in this process and measures steps whose events are journalled, monitored and sent to one open"
                        + " page, and steps whose events are thrown away, in turn: the processor time that reports take of a"
                        + " rank and other threads take for them, and the time of the steps. No checkpoint, probe or"
                        + " validation falls into the measured steps. Takes about half a minute to begin, and two blocks and"
                        + " 1.2 s for each pair.")
final class BenchMonitorCommand implements Callable<Integer> {

    private static final String NEVER = "100000000";

    /** Pages that are open beside the one until the run is warm: what runs twice a second is else compiled after minutes. */
    private static final int WARMING_PAGES = 8;

    @Mixin
    private ConfigOptions configOptions;

    @Option(
            names = "--pairs",
            defaultValue = "20",
            description = "Pairs of blocks, with and without (${DEFAULT-VALUE}).")
    private int pairs;

    @Option(names = "--seconds", defaultValue = "1", description = "Measured seconds of a block (${DEFAULT-VALUE}).")
    private double seconds;

    @Option(
            names = "--warm-up",
            defaultValue = "60",
            description = "Seconds to wait at most until the compiler is quiet (${DEFAULT-VALUE}).")
    private double warmUp;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (pairs < 2 || pairs > 100_000 || !(seconds > 0 && seconds <= 3600) || !(warmUp >= 0)) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(),
                    "--pairs must be between 2 and 100000, --seconds between 0 and 3600 and --warm-up 0 or more but are "
                            + pairs + ", " + seconds + " and " + warmUp);
        }
        List<String> overrides = new ArrayList<>(List.of(
                "cluster.nodes=1",
                "cluster.spawn=true",
                "train.steps=" + NEVER,
                "train.checkpointEverySteps=" + NEVER,
                "probe.everySteps=" + NEVER,
                // Of the untrained weights, before anything is measured.
                "probe.trainImages=500",
                "probe.attentive.epochs=1",
                "monitor.page=true",
                "monitor.host=127.0.0.1",
                "monitor.port=0"));
        overrides.addAll(configOptions.overrides);
        RunConfig.Resolved resolved = RunConfig.load(configOptions.presetOrFile, overrides);
        Path directory = Files.createTempDirectory("rasterflow-monitor");
        try (RunDirectory held = RunDirectory.open(directory, false, resolved.text())) {
            print(measure(resolved.config(), resolved.config().plan(held.path(), false)));
        } finally {
            delete(directory);
        }
        return 0;
    }

    private MonitorSwitch.Cost measure(RunConfig config, RunPlan plan) throws InterruptedException {
        MonitorSwitch events = new MonitorSwitch(pairs, seconds, warmUp);
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        try (TrainRun run = TrainRun.start(config, plan, nowhere, false, events)) {
            Thread end = new Thread(() -> events.ended(run.await().detail()), "bench-end");
            end.setDaemon(true);
            end.start();
            CompletableFuture<?> reader = open(run.page().orElseThrow());
            Progress progress = new Progress(System.err, "measured");
            List<CompletableFuture<?>> warming = Stream.<CompletableFuture<?>>generate(
                            () -> open(run.page().orElseThrow()))
                    .limit(WARMING_PAGES)
                    .toList();
            MonitorSwitch.Cost cost = events.measure(() -> warming.forEach(page -> page.cancel(true)), progress::at);
            progress.clear();
            if (reader.isDone()) {
                throw new IllegalStateException(
                        "the page closed its stream of events while it was measured; try again");
            }
            run.stop(Duration.ofSeconds(30));
            return cost;
        }
    }

    /** Reads what the page sends to a browser, and throws it away. */
    private static CompletableFuture<?> open(URI page) {
        return HttpClient.newHttpClient()
                .sendAsync(HttpRequest.newBuilder(page.resolve("/events")).build(), BodyHandlers.discarding());
    }

    private void print(MonitorSwitch.Cost cost) {
        System.out.printf(
                Locale.ROOT,
                "monitoring costs %s of a step of %.1f ms, as processor time: %.3f ms in which a rank reports (%.1f events of"
                        + " all ranks), and %.3f ms of other threads%n",
                percent(cost.share(), cost.interval()),
                1e3 * cost.offSeconds(),
                1e3 * cost.reportSeconds(),
                cost.events(),
                1e3 * cost.otherSeconds());
        System.out.printf(
                Locale.ROOT,
                "steps take %s longer with it, %.3f ms and %.3f ms, medians of %d pairs of blocks%n",
                percent(cost.ratio(), cost.ratioInterval()),
                1e3 * cost.onSeconds(),
                1e3 * cost.offSeconds(),
                pairs);
        if (json) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("share", cost.share());
            fields.put("shareLow", cost.interval().low());
            fields.put("shareHigh", cost.interval().high());
            fields.put("reportSeconds", cost.reportSeconds());
            fields.put("otherThreadsSeconds", cost.otherSeconds());
            fields.put("longerShare", cost.ratio());
            fields.put("longerShareLow", cost.ratioInterval().low());
            fields.put("longerShareHigh", cost.ratioInterval().high());
            fields.put("medianSecondsWith", cost.onSeconds());
            fields.put("medianSecondsWithout", cost.offSeconds());
            fields.put("pairs", pairs);
            fields.put("eventsPerStep", cost.events());
            System.out.println(Json.line(fields));
        }
    }

    private static String percent(double share, Interval interval) {
        return String.format(
                Locale.ROOT,
                "%.2f %% (95 %%: %.2f to %.2f %%)",
                100 * share,
                100 * interval.low(),
                100 * interval.high());
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
