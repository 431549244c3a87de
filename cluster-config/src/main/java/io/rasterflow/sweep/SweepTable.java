package io.rasterflow.sweep;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/** The results of a sweep side by side: for people, as {@code sweep.json}, as {@code sweep.csv}. */
public final class SweepTable {

    private SweepTable() {}

    /** Columns of the further probes. */
    private static List<String> kinds(List<SweepResult> results) {
        TreeSet<String> kinds = new TreeSet<>();
        results.forEach(result -> kinds.addAll(result.probes().keySet()));
        return List.copyOf(kinds);
    }

    public static void print(PrintStream out, List<SweepResult> results) {
        List<String> kinds = kinds(results);
        int width = results.stream()
                .mapToInt(result -> result.name().length())
                .max()
                .orElse(0);
        String name = "%-" + Math.max(width, 4) + "s";
        out.printf(Locale.ROOT, "%n" + name + "  %10s  %10s", "run", "train loss", "validation");
        out.printf(Locale.ROOT, "  %9s", "attentive");
        kinds.forEach(kind -> out.printf(Locale.ROOT, "  %9s", kind));
        out.printf(Locale.ROOT, "  %9s%n", "images/s");
        for (SweepResult result : results) {
            out.printf(
                    Locale.ROOT,
                    name + "  %10s  %10s  %9s",
                    result.name(),
                    text(result.trainLoss(), "%.4f", 1),
                    text(result.validationLoss(), "%.4f", 1),
                    text(result.attentive(), "%.2f %%", 100));
            kinds.forEach(kind ->
                    out.printf(Locale.ROOT, "  %9s", text(result.probes().get(kind), "%.2f %%", 100)));
            out.printf(
                    Locale.ROOT,
                    "  %9s%s%n",
                    text(result.imagesPerSecond(), "%.0f", 1),
                    result.error() == null ? "" : "  " + result.error());
        }
        out.println("Losses compare between runs of the same target only.");
    }

    /** One run in a line. */
    static String summary(SweepResult result) {
        StringBuilder line = new StringBuilder();
        line.append("validation loss ").append(text(result.validationLoss(), "%.4f", 1));
        line.append(" · attentive ").append(text(result.attentive(), "%.2f %%", 100));
        result.probes()
                .forEach((kind, accuracy) ->
                        line.append(" · ").append(kind).append(' ').append(text(accuracy, "%.2f %%", 100)));
        line.append(" · ").append(text(result.imagesPerSecond(), "%.0f", 1)).append(" images/s");
        return result.error() == null ? line.toString() : line + " · " + result.error();
    }

    private static String text(Double value, String format, double factor) {
        return value == null || !Double.isFinite(value) ? "-" : String.format(Locale.ROOT, format, factor * value);
    }

    /** Writes {@code sweep.json} and {@code sweep.csv}. */
    public static void write(Path directory, String sweep, List<SweepResult> results) throws IOException {
        Files.writeString(
                directory.resolve("sweep.json"),
                SweepResult.MAPPER
                                .writerWithDefaultPrettyPrinter()
                                .writeValueAsString(fields(sweep, directory, results))
                        + "\n");
        Files.writeString(directory.resolve("sweep.csv"), csv(results));
    }

    /** For scripts. */
    public static Map<String, Object> fields(String sweep, Path directory, List<SweepResult> results) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("sweep", sweep);
        fields.put("run", directory.toString());
        fields.put(
                "finished",
                results.stream().filter(result -> result.error() == null).count());
        fields.put(
                "failed",
                results.stream().filter(result -> result.error() != null).count());
        fields.put("runs", results);
        return fields;
    }

    private static String csv(List<SweepResult> results) {
        List<String> kinds = kinds(results);
        StringBuilder csv = new StringBuilder("run,steps,trainLoss,validationLoss,attentive");
        kinds.forEach(kind -> csv.append(',').append(kind));
        csv.append(",imagesPerSecond,overrides,error\n");
        for (SweepResult result : results) {
            csv.append(result.name()).append(',').append(cell(result.steps()));
            csv.append(',').append(cell(result.trainLoss())).append(',').append(cell(result.validationLoss()));
            csv.append(',').append(cell(result.attentive()));
            kinds.forEach(kind -> csv.append(',').append(cell(result.probes().get(kind))));
            csv.append(',').append(cell(result.imagesPerSecond()));
            csv.append(',').append(cell(String.join(" ", result.overrides())));
            csv.append(',').append(cell(result.error())).append('\n');
        }
        return csv.toString();
    }

    private static String cell(Object value) {
        if (value == null) {
            return "";
        }
        String text = value.toString();
        return text.matches("[^\",\\n]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
    }
}
