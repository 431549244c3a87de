package io.rasterflow.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.config.ConfigException;
import io.rasterflow.model.checkpoint.Checkpoint;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Trains the runs of a sweep one after another, each in a directory below that of the sweep. Runs that are over are not
 * trained again; one that was interrupted goes on from its latest checkpoint; one that fails does not stop the others.
 *
 * <pre>
 * DIR/NAME/                     run directory; sweep.json in it once the run is over
 * DIR/logs/NAME.log             what the run printed
 * DIR/codebooks/NAME.safetensors
 * </pre>
 */
public final class Sweep implements AutoCloseable {

    private static final String PROGRESS = "step ";

    private final SweepConfig config;
    private final Path directory;
    private final PrintStream out;
    private final boolean terminal;
    private final Verbs verbs = new Verbs();

    /**
     * @param out where progress is shown
     * @param terminal whether {@code out} is one
     */
    public Sweep(SweepConfig config, Path directory, PrintStream out, boolean terminal) {
        this.config = config;
        this.directory = directory;
        this.out = out;
        this.terminal = terminal;
    }

    /** Brings every run to its end and returns their results in the order of the file. */
    public List<SweepResult> run() throws IOException, InterruptedException {
        requireSameSettings();
        Files.createDirectories(directory.resolve("logs"));
        List<SweepResult> results = new ArrayList<>();
        for (SweepConfig.Entry entry : config.runs()) {
            results.add(result(entry, results.size() + 1));
        }
        return results;
    }

    /** A directory with results of other settings would make a table of unlike runs. */
    private void requireSameSettings() {
        for (SweepConfig.Entry entry : config.runs()) {
            Path run = directory.resolve(entry.name());
            SweepResult.read(run).ifPresent(result -> {
                if (!result.base().equals(config.base())
                        || !result.overrides().equals(config.overrides(entry, directory))) {
                    throw new ConfigException(run + " was trained with other settings (" + result.base() + " "
                            + String.join(" ", result.overrides())
                            + "); delete it, or give the sweep another --run");
                }
            });
        }
    }

    private SweepResult result(SweepConfig.Entry entry, int number) throws IOException, InterruptedException {
        String title = "[" + number + "/" + config.runs().size() + "] " + entry.name();
        Path run = directory.resolve(entry.name());
        Optional<SweepResult> before = SweepResult.read(run);
        SweepResult result;
        try {
            if (before.isPresent()) {
                result = before.get().withError(null);
                out.println(title + ": is over already");
            } else {
                result = train(entry, run, title);
                result.write(run);
            }
        } catch (Verbs.FailedException e) {
            out.println(title + ": failed: " + e.getMessage());
            return SweepResult.failed(entry.name(), config.base(), config.overrides(entry, directory), e.getMessage());
        }
        return probe(entry, run, result, title);
    }

    private SweepResult train(SweepConfig.Entry entry, Path run, String title)
            throws IOException, InterruptedException, Verbs.FailedException {
        if (entry.codebook() > 0) {
            codebook(entry, title);
        }
        boolean resume = Checkpoint.latest(run).isPresent();
        out.println(title + (resume ? ": goes on from its latest checkpoint" : ": begins"));
        List<String> overrides = config.overrides(entry, directory);
        List<String> arguments = new ArrayList<>(List.of("train", "--json", "--run", run.toString()));
        if (resume) {
            arguments.add("--resume");
        }
        arguments.addAll(base());
        arguments.addAll(overrides);
        JsonNode json = verbs.run(arguments, log(entry), progress(title));
        if (!json.path("outcome").asText("completed").equals("completed")) {
            throw new Verbs.FailedException("the training was stopped; the sweep goes on with it when called again");
        }
        return new SweepResult(
                entry.name(),
                config.base(),
                overrides,
                json.path("steps").asLong(),
                number(json, "trainLossLast"),
                number(json, "validationLoss"),
                number(json, "probe"),
                Map.of(),
                number(json, "imagesPerSecond"),
                null);
    }

    private void codebook(SweepConfig.Entry entry, String title)
            throws IOException, InterruptedException, Verbs.FailedException {
        Path file = SweepConfig.codebook(entry, directory);
        if (Files.exists(file)) {
            return;
        }
        Files.createDirectories(file.getParent());
        out.println(title + ": makes its codebook of " + entry.codebook());
        List<String> arguments = new ArrayList<>(List.of("codebook", "--json"));
        arguments.addAll(List.of("--size", Integer.toString(entry.codebook()), "--out", file.toString()));
        arguments.addAll(base());
        arguments.addAll(config.common());
        verbs.run(arguments, log(entry), line -> {});
    }

    /** The further probes; one that cannot be run leaves a gap in the table and is tried again by the next sweep. */
    private SweepResult probe(SweepConfig.Entry entry, Path run, SweepResult trained, String title)
            throws IOException, InterruptedException {
        SweepResult result = trained;
        for (String kind : config.probes()) {
            if (result.probes().containsKey(kind)) {
                continue;
            }
            try {
                List<String> arguments = List.of("probe", "--run", run.toString(), "--kind", kind, "--json");
                JsonNode json = verbs.run(arguments, log(entry), line -> {});
                result = result.withProbe(kind, top1(json));
                result.write(run);
            } catch (Verbs.FailedException e) {
                result = result.withError(kind + " probe: " + e.getMessage());
            }
        }
        out.println(title + ": " + SweepTable.summary(result));
        return result;
    }

    /** Accuracy as {@code rasterflow probe --json} names it. */
    private static double top1(JsonNode json) throws Verbs.FailedException {
        for (String field : List.of("top1", "probe")) {
            if (json.path(field).isNumber()) {
                return json.path(field).asDouble();
            }
        }
        throw new Verbs.FailedException("the result has no accuracy: " + json);
    }

    private List<String> base() {
        return config.base().isEmpty() ? List.of() : List.of("-c", config.base());
    }

    private Path log(SweepConfig.Entry entry) {
        return directory.resolve("logs").resolve(entry.name() + ".log");
    }

    /** On a terminal the run's own progress, in one line that is written again and again. */
    private Consumer<String> progress(String title) {
        return line -> {
            if (terminal && line.startsWith(PROGRESS)) {
                out.print("\r\u001b[K" + title + ": " + line + "\r");
                out.flush();
            }
        };
    }

    private static Double number(JsonNode json, String field) {
        return json.path(field).isNumber() ? json.path(field).asDouble() : null;
    }

    /** Stops the run under way; it writes a checkpoint first. */
    @Override
    public void close() {
        verbs.close();
    }
}
