package io.rasterflow.cli;

import io.rasterflow.config.ConfigException;
import io.rasterflow.monitoring.plot.LawText;
import io.rasterflow.monitoring.science.ScalingAnalysis;
import io.rasterflow.scaling.law.LawFields;
import io.rasterflow.scaling.law.LawPage;
import io.rasterflow.scaling.law.RunSet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code rasterflow scaling}: how the loss falls with size. */
@Command(
        name = "scaling",
        sortOptions = false,
        description =
                "Fits L = L∞ + (x0/x)^α in parameters, samples and FLOPs to the final validation losses of runs of one"
                        + " experiment, from their journals alone, so also of runs that died; checks each law on the largest"
                        + " runs, which it predicts from the others; says what the next size would reach, and how loss and"
                        + " accuracy go together. `rasterflow sweep scaling` trains such runs.")
final class ScalingCommand implements Callable<Integer> {

    @Parameters(
            arity = "1..*",
            paramLabel = "RUN",
            description = "Run directories, or a directory of runs, as of a sweep.")
    private List<Path> runs;

    @Option(
            names = "--out",
            paramLabel = "FOLDER",
            defaultValue = "scaling",
            description = "Where scaling.html and its plots go; default: ${DEFAULT-VALUE}.")
    private Path out;

    @Option(names = "--completed", description = "Leaves out runs whose last step was not validated.")
    private boolean completed;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        RunSet set = RunSet.read(runs, completed);
        ScalingAnalysis analysis = analyse(set);
        LawText.print(System.out, analysis, set.leftOut());
        List<Path> files = LawPage.write(out, analysis, set.leftOut());
        System.out.println("written: " + files.get(0) + " and " + (files.size() - 1) + " plots");
        if (json) {
            System.out.println(Json.line(LawFields.of(analysis, set.leftOut())));
        }
        return 0;
    }

    private static ScalingAnalysis analyse(RunSet set) {
        try {
            return ScalingAnalysis.of(set.runs());
        } catch (IllegalArgumentException e) {
            String others = set.leftOut().isEmpty() ? "" : "; left out: " + String.join("; ", set.leftOut());
            throw new ConfigException(e.getMessage() + others, e);
        }
    }
}
