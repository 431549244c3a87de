package io.rasterflow.cli;

import io.rasterflow.config.ConfigException;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.monitoring.audit.Audit;
import io.rasterflow.monitoring.audit.AuditResult;
import io.rasterflow.monitoring.audit.Finding;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journals;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rasterflow audit}: was every image used exactly once? */
@Command(
        name = "audit",
        description = "Proves from the journals of a run that every sample position was used exactly once in committed"
                + " steps, also while it is running and when journals are missing or torn.",
        footer = "%nExit 1 with the list when a position is missing, was used twice or cannot be proved any more.")
final class AuditCommand implements Callable<Integer> {

    private static final int LINES = 20;

    @Option(names = "--run", required = true, paramLabel = "DIR", description = "Run directory.")
    private Path run;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        if (!Files.isDirectory(run)) {
            throw new ConfigException(run + " is not a run directory");
        }
        if (!Journals.exist(run)) {
            throw new IOException("no journal in " + run + ": nothing can be proved; give the directory of a run"
                    + " that has begun (--run DIR)");
        }
        AuditResult result = audit();
        print(result);
        if (json) {
            System.out.println(Json.line(fields(result)));
        }
        return result.passed() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }

    private AuditResult audit() throws IOException {
        Audit audit = new Audit();
        long checkpoint = Checkpoint.latest(run).map(Checkpoint::step).orElse(0L);
        if (checkpoint > 0) {
            audit.reached(checkpoint);
        }
        Progress progress = new Progress(System.out, "audit");
        try (Stream<Event> events = Journals.read(run, audit::damaged)) {
            for (Iterator<Event> it = events.iterator(); it.hasNext(); ) {
                Event event = it.next();
                audit.add(event);
                if (event instanceof Event.Commit commit && checkpoint > 0) {
                    progress.at(Math.min(1, (double) commit.step() / checkpoint));
                }
            }
        }
        progress.clear();
        return audit.result();
    }

    private void print(AuditResult result) {
        System.out.println("audit of " + run);
        line("steps", result.steps() + " committed, from step " + result.firstStep());
        line(
                "positions",
                result.positions() + ", of which " + result.missing() + " missing, " + result.duplicated()
                        + " duplicated, " + result.unprovable() + " not provable");
        line("redone", result.redone() + " images were computed for updates that did not stand");
        if (result.outcome().isEmpty()) {
            line(
                    "end",
                    "none is journalled: the run is still going or was killed; " + result.unfinished()
                            + " images belong to steps that nobody has committed yet");
        } else {
            line("end", result.outcome());
        }
        line(
                "checkpoint",
                result.checkpoint() < 0
                        ? "none"
                        : "step " + result.checkpoint() + "; " + result.afterCheckpoint() + " steps since");
        line("generations", Integer.toString(result.generations().size()));
        list(result.generations(), AuditCommand::describe);
        line("quarantined", Long.toString(result.quarantined()));
        list(
                result.quarantinedSamples(),
                bad -> "position " + bad.position() + ": " + bad.shard() + " at " + bad.offset() + " (" + bad.key()
                        + "): " + bad.cause());
        result.notes().forEach(note -> line("note", note));
        list(result.findings(), finding -> word(finding.kind()) + ": " + finding.text());
        System.out.println(result.verdict());
    }

    private static String describe(AuditResult.Generation generation) {
        int ranks = generation.nodes().size();
        long steps = generation.endStep() - generation.firstStep();
        return generation.number() + ": "
                + (steps == 0
                        ? "from step " + generation.firstStep() + ", none of its steps stands"
                        : "steps " + generation.firstStep() + " to " + (generation.endStep() - 1))
                + ", " + ranks + (ranks == 1 ? " rank" : " ranks")
                + (ranks <= LINES ? " on " + String.join(", ", generation.nodes()) : "")
                + (generation.cause().isEmpty() ? "" : " (" + generation.cause() + ")");
    }

    private static String word(Finding.Kind kind) {
        return switch (kind) {
            case MISSING -> "missing";
            case DUPLICATED -> "duplicated";
            case UNPROVABLE -> "not provable";
            case DIVERGED -> "diverged";
        };
    }

    private static void line(String name, String text) {
        System.out.printf("  %-12s %s%n", name, text);
    }

    private static <T> void list(List<T> things, Function<T, String> describe) {
        things.stream().limit(LINES).forEach(thing -> System.out.println("    " + describe.apply(thing)));
        if (things.size() > LINES) {
            System.out.println("    and more; --json lists them");
        }
    }

    private Map<String, Object> fields(AuditResult result) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("run", run.toString());
        fields.put("steps", result.steps());
        fields.put("positions", result.positions());
        fields.put("missing", result.missing());
        fields.put("duplicated", result.duplicated());
        fields.put("unprovable", result.unprovable());
        fields.put("diverged", result.diverged());
        fields.put("redone", result.redone());
        fields.put("unfinished", result.unfinished());
        fields.put("quarantined", result.quarantined());
        fields.put("quarantinedSamples", result.quarantinedSamples());
        fields.put("generations", result.generations());
        fields.put("findings", result.findings());
        fields.put("checkpoint", result.checkpoint());
        fields.put("outcome", result.outcome());
        fields.put("notes", result.notes());
        fields.put("passed", result.passed());
        return fields;
    }
}
