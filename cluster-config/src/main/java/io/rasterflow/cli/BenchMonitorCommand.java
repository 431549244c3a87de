package io.rasterflow.cli;

import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.config.RunConfig;
import io.rasterflow.launch.RunDirectory;
import io.rasterflow.launch.TrainRun;
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
                "Trains in this process and times steps whose events are journalled, monitored and sent to one open"
                        + " page, and steps whose events are thrown away, in turn. Default settings but for the length of the run;"
                        + " no checkpoint, probe or validation falls into the measured steps.")
final class BenchMonitorCommand implements Callable<Integer> {

    private static final String NEVER = "100000000";

    @Mixin
    private ConfigOptions configOptions;

    @Option(
            names = "--pairs",
            defaultValue = "30",
            description = "Pairs of blocks, with and without (${DEFAULT-VALUE}).")
    private int pairs;

    @Option(names = "--seconds", defaultValue = "1", description = "Measured seconds of a block (${DEFAULT-VALUE}).")
    private double seconds;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (pairs < 1 || pairs > 100_000 || !(seconds > 0 && seconds <= 3600)) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(),
                    "--pairs must be between 1 and 100000 and --seconds between 0 and 3600 but are " + pairs + " and "
                            + seconds);
        }
        List<String> overrides = new ArrayList<>(List.of(
                "cluster.nodes=1",
                "cluster.spawn=true",
                "train.steps=" + NEVER,
                "train.checkpointEverySteps=" + NEVER,
                "probe.everySteps=" + NEVER,
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

    private MonitorSwitch.Cost measure(RunConfig config, RunPlan plan) {
        MonitorSwitch events = new MonitorSwitch(pairs, seconds);
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        try (TrainRun run = TrainRun.start(config, plan, nowhere, false, events)) {
            Thread end = new Thread(() -> events.ended(run.await().detail()), "bench-end");
            end.setDaemon(true);
            end.start();
            CompletableFuture<?> reader = open(run.page().orElseThrow());
            MonitorSwitch.Cost cost = events.measure();
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
                "monitoring takes %.2f %% of a step (95 %%: %.2f to %.2f %%): %.3f ms with it, %.3f ms without, medians of"
                        + " %d pairs, %.1f events a step%n",
                100 * cost.share(),
                100 * cost.low(),
                100 * cost.high(),
                1e3 * cost.onSeconds(),
                1e3 * cost.offSeconds(),
                pairs,
                cost.events());
        if (json) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("share", cost.share());
            fields.put("shareLow", cost.low());
            fields.put("shareHigh", cost.high());
            fields.put("medianSecondsWith", cost.onSeconds());
            fields.put("medianSecondsWithout", cost.offSeconds());
            fields.put("pairs", pairs);
            fields.put("eventsPerStep", cost.events());
            System.out.println(Json.line(fields));
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
