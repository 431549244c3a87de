package io.rasterflow.cli;

import io.rasterflow.sweep.Sweep;
import io.rasterflow.sweep.SweepConfig;
import io.rasterflow.sweep.SweepPlot;
import io.rasterflow.sweep.SweepResult;
import io.rasterflow.sweep.SweepTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code rasterflow sweep}: runs that differ by an override or two, and the table of what came out. */
@Command(
        name = "sweep",
        description = "Trains a list of runs one after another and compares them in a table. Runs that are over are not"
                + " trained again, an interrupted one goes on.")
final class SweepCommand implements Callable<Integer> {

    @Parameters(
            index = "0",
            paramLabel = "FILE",
            description = "HOCON: base = PRESET, common = [overrides], runs { NAME = [overrides] … };"
                    + " bundled: ablations, every ablation of the AIM paper at a small size; scaling, five model sizes"
                    + " times four data sizes, for `rasterflow scaling`.")
    private String file;

    @Parameters(arity = "0..*", index = "1..*", paramLabel = "key=value", description = "Overrides of every run.")
    private List<String> overrides = new ArrayList<>();

    @Option(
            names = "--run",
            paramLabel = "DIR",
            description = "Directory of the sweep; default: runs/ and FILE's name.")
    private Path run;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path directory =
                (run == null ? defaultDirectory() : run).toAbsolutePath().normalize();
        SweepConfig config = SweepConfig.load(file, directory, overrides);
        boolean terminal = Boolean.getBoolean("rasterflow.terminal");
        try (Sweep sweep = new Sweep(config, directory, System.out, terminal)) {
            Thread onInterrupt = new Thread(
                    () -> {
                        System.out.println("\nstopping the run under way, with a checkpoint ...");
                        sweep.close();
                        System.out.println("continue with: ./rasterflow sweep " + file + " --run " + directory);
                    },
                    "stop-on-interrupt");
            Runtime.getRuntime().addShutdownHook(onInterrupt);
            List<SweepResult> results;
            try {
                results = sweep.run();
            } finally {
                TrainCommand.removeHook(onInterrupt);
            }
            SweepTable.print(System.out, results);
            SweepTable.write(directory, config.name(), results);
            Path plot = directory.resolve("sweep.png");
            boolean drawn = SweepPlot.write(plot, config.name(), results);
            System.out.println("written          " + directory.resolve("sweep.json") + ", sweep.csv"
                    + (drawn ? ", sweep.png" : ""));
            if (json) {
                System.out.println(Json.line(SweepTable.fields(config.name(), directory, results)));
            }
            return results.stream().allMatch(result -> result.error() == null) ? 0 : 1;
        }
    }

    private Path defaultDirectory() {
        return Path.of("runs", Path.of(file).getFileName().toString().replaceFirst("\\.conf$", ""));
    }
}
