package io.rasterflow.cli;

import io.rasterflow.monitoring.export.TensorBoardExport;
import io.rasterflow.monitoring.journal.MetricsExport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rasterflow metrics}: the journal as text, or for TensorBoard. */
@Command(name = "metrics", description = "Prints the journals of a run, merged by time, also while it is running.")
final class MetricsCommand implements Callable<Integer> {

    @Option(names = "--run", required = true, paramLabel = "DIR", description = "Run directory.")
    private Path run;

    @Option(
            names = "--format",
            defaultValue = "jsonl",
            description = "${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
    private MetricsExport.Format format;

    @Option(
            names = "--tensorboard",
            paramLabel = "FOLDER",
            description =
                    "Prints nothing of it, but writes its scalars, images and histograms as a TensorBoard event file"
                            + " into this folder.")
    private Path tensorboard;

    @Override
    public Integer call() throws IOException {
        if (tensorboard == null) {
            MetricsExport.write(run, format, System.out);
        } else {
            System.out.println("written: " + TensorBoardExport.write(run, tensorboard));
        }
        return 0;
    }
}
