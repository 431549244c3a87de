package io.rasterflow.cli;

import io.rasterflow.model.parity.Parity;
import io.rasterflow.model.parity.ParityReport;
import io.rasterflow.model.program.Engines;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code rasterflow parity}: compares model, gradients, optimizer and probe with a reference case. */
@Command(
        name = "parity",
        description = "Compares model, gradients, optimizer and probe with a reference case.",
        footer = "%nExit 1 when the largest relative error of any group is above the tolerance.")
final class ParityCommand implements Callable<Integer> {

    @Parameters(paramLabel = "CASE.safetensors", description = "Weights, inputs and expected values.")
    private Path file;

    @Option(
            names = "--tolerance",
            defaultValue = "1e-4",
            description = "Largest relative error; default ${DEFAULT-VALUE}.")
    private double tolerance;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Engines.configure(1);
        ParityReport report = Parity.run(file);
        boolean passed = report.passed(tolerance);
        report.groups().forEach((group, error) -> System.out.printf("%-16s %.2e%n", group, error));
        System.out.printf(
                "%-16s %.2e  %s (tolerance %.0e)%n",
                "overall", report.overall(), passed ? "passed" : "FAILED", tolerance);
        if (json) {
            Map<String, Object> errors = new LinkedHashMap<>(report.groups());
            errors.put("overall", report.overall());
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("maxRelativeError", errors);
            fields.put("passed", passed);
            System.out.println(Json.line(fields));
        }
        return passed ? 0 : 1;
    }
}
