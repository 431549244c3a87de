package io.rasterflow.cli;

import io.rasterflow.config.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code rasterflow rollback}: from before a spike, without what was in it. */
@Command(
        name = "rollback",
        description =
                "Begins a new run from the last checkpoint before a step of another one, without the images of that step"
                        + " that had the highest losses: a replay finds them, and the new run quarantines them. The old"
                        + " run is left as it is.")
final class RollbackCommand implements Callable<Integer> {

    @Option(names = "--run", required = true, paramLabel = "DIR", description = "Run directory to go back in.")
    private Path run;

    @Option(names = "--step", required = true, paramLabel = "S", description = "Step, 0 for the first.")
    private long step;

    @Option(names = "--to", required = true, paramLabel = "NEW", description = "Run directory of the new run.")
    private Path to;

    @Option(
            names = "--top",
            paramLabel = "N",
            defaultValue = "10",
            description = "Images to leave out, the highest loss first; default: ${DEFAULT-VALUE}.")
    private int top;

    @Option(names = "--nodes", paramLabel = "N", description = "Runs as N trainer processes on this machine.")
    private Integer nodes;

    @Option(names = "--json", description = "Prints one JSON object, that of train, as the last line.")
    private boolean json;

    @Parameters(arity = "0..*", paramLabel = "key=value", description = "Configuration of the new run, as for train.")
    private List<String> overrides = new ArrayList<>();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (top < 1) {
            throw new ConfigException(
                    "--top must be at least 1 but is " + top + "; to go back with all images: train --from");
        }
        if (Files.exists(to)) {
            throw new ConfigException("--to " + to + " exists already; name a directory that does not");
        }
        StepReplay replay = StepReplay.of(run, step);
        if (replay.named(top).isEmpty()) {
            throw new ConfigException("others stood in for the " + top + " worst images of step " + step
                    + " already: there is none to leave out; raise --top, or take another step");
        }
        System.out.printf(
                Locale.ROOT,
                "back from step %d to the checkpoint of step %d, without:%n",
                step,
                replay.result().checkpoint());
        replay.named(top)
                .forEach(image -> System.out.printf(
                        Locale.ROOT, "  loss %9.4f  %s, %s%n", image.loss(), image.shard(), image.key()));
        List<String> train =
                new ArrayList<>(List.of("train", "--from", replay.checkpoint().toString(), "--run", to.toString()));
        if (nodes != null) {
            train.addAll(List.of("--nodes", nodes.toString()));
        }
        if (json) {
            train.add("--json");
        }
        train.add(replay.quarantine(top));
        train.addAll(overrides);
        return spec.root().commandLine().execute(train.toArray(String[]::new));
    }
}
