package io.rasterflow.cli;

import io.rasterflow.monitoring.journal.MetricsExport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rasterflow metrics}: the journal as text. */
@Command(name = "metrics", description = "Prints the journals of a run, merged by time, also while it is running.")
final class MetricsCommand implements Callable<Integer> {

    @Option(names = "--run", required = true, paramLabel = "DIR", description = "Run directory.")
    private Path run;

    @Option(
            names = "--format",
            defaultValue = "jsonl",
            description = "${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
    private MetricsExport.Format format;

    @Override
    public Integer call() throws IOException {
        MetricsExport.write(run, format, System.out);
        return 0;
    }
}
