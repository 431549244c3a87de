package io.rasterflow.cli;

import io.rasterflow.config.RunConfig;
import io.rasterflow.launch.Progress;
import io.rasterflow.streams.batch.BadSample;
import io.rasterflow.streams.order.SampleOrder;
import io.rasterflow.streams.order.ShuffleQuality;
import io.rasterflow.streams.pack.ContactSheet;
import io.rasterflow.streams.pack.Verification;
import io.rasterflow.streams.pack.VerificationReport;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.Manifest;
import io.rasterflow.streams.storage.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rasterflow data inspect}: what is in the shards? */
@Command(
        name = "inspect",
        description = "Counts samples, formats, sizes and labels from headers alone, and draws a contact sheet.")
final class InspectCommand extends DataCommand.OnShards {

    private static final int LISTED = 20;
    private static final int SHUFFLED_BATCH = 256;

    @Option(names = "--threads", description = "Threads that read; default: the processors.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--sheet", paramLabel = "FILE", description = "PNG file to draw some samples into.")
    private Path sheet;

    @Option(names = "--samples", defaultValue = "64", description = "How many of them; default ${DEFAULT-VALUE}.")
    private int samples;

    @Option(names = "--seed", defaultValue = "0", description = "Which of them; default ${DEFAULT-VALUE}.")
    private long seed;

    @Override
    public Integer call() throws IOException {
        try (DataSet data = open()) {
            VerificationReport report;
            try (Progress progress = new Progress("inspect", "images", data.size())) {
                report = Verification.inspect(data, threads, (done, total) -> progress.done(done));
            }
            List<String> classes = classes(data);
            print(report, classes);
            printShuffle(data);
            if (sheet != null) {
                byte[] png = ContactSheet.draw(data, samples, seed, classes);
                AtomicFile.write(sheet, out -> out.write(png));
                System.out.println("sheet     " + sheet);
            }
            if (json) {
                System.out.println(Json.line(fields(report)));
            }
            return report.passed() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
        }
    }

    /** From the manifest, or from classes.txt beside the shards. */
    private List<String> classes(DataSet data) throws IOException {
        if (patterns.get(0).endsWith(".json") && Files.isRegularFile(Path.of(patterns.get(0)))) {
            return Manifest.read(Path.of(patterns.get(0))).classes();
        }
        Optional<Path> first = data.shards().get(0).file();
        if (first.isEmpty()) {
            return List.of();
        }
        Path names = first.get().toAbsolutePath().resolveSibling("classes.txt");
        return Files.isRegularFile(names) ? Files.readAllLines(names) : List.of();
    }

    private static void print(VerificationReport report, List<String> classes) {
        System.out.printf(
                Locale.ROOT,
                "%d samples in %d shards, %.1f MB of encoded images%n",
                report.samples(),
                report.shards(),
                report.bytes() / 1e6);
        System.out.println("formats   " + counts(report.formats()));
        if (!report.shorterSides().isEmpty()) {
            System.out.println("shorter   " + report.shorterSides().firstKey() + " to "
                    + report.shorterSides().lastKey() + " pixels, median " + report.medianShorterSide());
            histogram(report.shorterSides());
        }
        System.out.println("aspects   " + counts(report.aspects()));
        System.out.println("labels    " + balance(report.labels()));
        report.labels().entrySet().stream()
                .limit(LISTED)
                .forEach(entry -> System.out.printf(
                        Locale.ROOT,
                        "%10d  %s%n",
                        entry.getValue(),
                        entry.getKey() < 0
                                ? "without a label"
                                : entry.getKey()
                                        + (entry.getKey() < classes.size() ? " " + classes.get(entry.getKey()) : "")));
        if (report.duplicateKeyCount() > 0) {
            System.out.println("keys      " + report.duplicateKeyCount() + " occur before, such as "
                    + report.duplicateKeys().get(0));
        }
        for (BadSample bad : report.broken()) {
            System.out.println("broken    " + bad.shard() + " at " + bad.offset() + " " + bad.key() + ": " + bad.cause()
                    + (bad.firstBytes().isEmpty() ? "" : "; first bytes " + bad.firstBytes()));
        }
        System.out.println(report.passed() ? "no broken samples" : report.brokenCount() + " broken samples");
    }

    /** How well training mixes the samples, with the settings of the defaults. */
    private void printShuffle(DataSet data) throws IOException {
        RunConfig config = RunConfig.load("", List.of()).config();
        int window = config.data().stream().windowShards();
        SampleOrder order = new SampleOrder(config.train().seed(), data.sampleCounts(), window);
        int batch = (int) Math.min(SHUFFLED_BATCH, data.size());
        ShuffleQuality quality = ShuffleQuality.of(order, batch);
        System.out.printf(
                Locale.ROOT,
                "shuffle   windows of %d shards, batches of %d: %.1f shards in a batch, of %.1f in a full shuffle%n",
                window,
                batch,
                quality.distinctShards().measured(),
                quality.distinctShards().fullShuffle());
        quality.neighbourDistance()
                .ifPresent(distance -> System.out.printf(
                        Locale.ROOT,
                        "          neighbours lie %.3f of the data apart, of %.3f in a full shuffle%n",
                        distance.measured(),
                        distance.fullShuffle()));
    }

    /** Shorter sides by powers of two. */
    private static void histogram(SortedMap<Integer, Long> sides) {
        SortedMap<Integer, Long> bins = new TreeMap<>();
        sides.forEach((side, count) -> bins.merge(Integer.highestOneBit(side), count, Long::sum));
        long largest = Collections.max(bins.values());
        bins.forEach((from, count) ->
                System.out.printf(Locale.ROOT, "%10d  %5d to %-5d %s%n", count, from, 2 * from - 1, "#".repeat((int)
                                Math.max(1, 40 * count / largest))));
    }

    private static String balance(SortedMap<Integer, Long> labels) {
        SortedMap<Integer, Long> known = labels.tailMap(0);
        if (known.isEmpty()) {
            return "none";
        }
        long fewest = Collections.min(known.values());
        long most = Collections.max(known.values());
        return String.format(
                Locale.ROOT,
                "%d, of %d to %d samples, balance %.2f",
                known.size(),
                fewest,
                most,
                (double) fewest / most);
    }

    private static String counts(Map<?, Long> counts) {
        return counts.entrySet().stream()
                .map(entry -> entry.getKey() + ": " + entry.getValue())
                .collect(Collectors.joining(", "));
    }

    private static Map<String, Object> fields(VerificationReport report) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("images", report.samples());
        fields.put("shards", report.shards());
        fields.put("bytes", report.bytes());
        fields.put("formats", report.formats());
        fields.put("labels", report.labels());
        Map<String, Long> aspects = new LinkedHashMap<>();
        report.aspects().forEach((aspect, count) -> aspects.put(aspect.toString(), count));
        fields.put("aspects", aspects);
        fields.put("shorterSides", report.shorterSides());
        fields.put("medianShorterSide", report.medianShorterSide());
        fields.put("duplicateKeys", report.duplicateKeyCount());
        fields.put("broken", report.brokenCount());
        fields.put("brokenSamples", report.broken());
        fields.put("passed", report.passed());
        return fields;
    }
}
