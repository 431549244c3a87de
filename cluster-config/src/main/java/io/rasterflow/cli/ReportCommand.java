package io.rasterflow.cli;

import io.rasterflow.config.ConfigException;
import io.rasterflow.launch.Summary;
import io.rasterflow.monitoring.monitor.RunSummary;
import io.rasterflow.monitoring.report.Browser;
import io.rasterflow.monitoring.report.Conclusions;
import io.rasterflow.monitoring.report.ReportPage;
import io.rasterflow.monitoring.report.RunHistory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rasterflow report}: a run as a page in one file. */
@Command(
        name = "report",
        sortOptions = false,
        description =
                "Makes a page in one file from the journals of a run, also of one that died or is still going: plots,"
                        + " conclusions in words, data, events, configuration.")
final class ReportCommand implements Callable<Integer> {

    private static final String HTML = ".html";
    private static final String PDF = ".pdf";

    @Option(names = "--run", required = true, paramLabel = "DIR", description = "Run directory.")
    private Path run;

    @Option(
            names = "--compare",
            arity = "1..*",
            paramLabel = "DIR",
            description = "Other runs that are drawn and listed beside it.")
    private List<Path> others = List.of();

    @Option(names = "--out", paramLabel = "FILE", description = "The page; default: report.html in the run directory.")
    private Path out;

    @Option(names = "--pdf", description = "Prints it as PDF beside it too, by a chromium of this machine.")
    private boolean pdf;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (!Files.isDirectory(run)) {
            throw new ConfigException(run + " is not a run directory");
        }
        Path page = out == null ? run.resolve("report" + HTML) : out;
        if (Files.isDirectory(page)) {
            throw new ConfigException("--out " + page + " is a folder; name a file in it");
        }
        RunHistory history = RunHistory.read(run);
        Map<String, RunHistory> compared = new LinkedHashMap<>();
        for (Path other : others) {
            compared.put(other.toString(), RunHistory.read(other));
        }
        Path config = run.resolve("config.conf");
        Optional<String> configuration =
                Files.isRegularFile(config) ? Optional.of(Files.readString(config)) : Optional.empty();
        if (page.toAbsolutePath().getParent() != null) {
            Files.createDirectories(page.toAbsolutePath().getParent());
        }
        Files.writeString(page, ReportPage.render(history, configuration, compared));
        List<String> conclusions = Conclusions.of(history);
        conclusions.forEach(System.out::println);
        System.out.println("written: " + page);
        Path printed = null;
        if (pdf) {
            printed = print(page);
            System.out.println("written: " + printed);
        }
        if (json) {
            System.out.println(Json.line(fields(history, page, printed, conclusions)));
        }
        return 0;
    }

    private static Path print(Path page) throws IOException, InterruptedException {
        String name = page.getFileName().toString();
        String stem = name.endsWith(HTML) ? name.substring(0, name.length() - HTML.length()) : name;
        Path file = page.resolveSibling(stem + PDF);
        Browser browser = Browser.find(System.getenv().getOrDefault("PATH", ""))
                .orElseThrow(() -> new IOException("no PDF without a chromium, and PATH has none; install it (Debian:"
                        + " apt-get install chromium), or open " + page + " and print it"));
        browser.print(page, file);
        return file;
    }

    private static Map<String, Object> fields(RunHistory history, Path page, Path printed, List<String> conclusions) {
        RunSummary summary = history.summary();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("run", summary.run());
        fields.put("report", page.toString());
        fields.put("pdf", printed == null ? null : printed.toString());
        fields.put("outcome", summary.outcome());
        fields.put("ended", history.status().ended());
        fields.put("steps", summary.steps());
        fields.putAll(Summary.measured(summary));
        fields.put("damaged", history.damage());
        fields.put("conclusions", conclusions);
        return fields;
    }
}
