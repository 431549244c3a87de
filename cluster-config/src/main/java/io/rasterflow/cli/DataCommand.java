package io.rasterflow.cli;

import io.rasterflow.config.RunConfig;
import io.rasterflow.streams.batch.BadSample;
import io.rasterflow.streams.pack.PackReport;
import io.rasterflow.streams.pack.Packer;
import io.rasterflow.streams.pack.Verification;
import io.rasterflow.streams.pack.VerificationReport;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code rasterflow data}: prepares and checks shards. */
@Command(
        name = "data",
        description = "Prepares and checks shards.",
        subcommands = {
            DataCommand.Pack.class,
            DataCommand.Index.class,
            DataCommand.Inspect.class,
            DataCommand.Verify.class
        },
        synopsisSubcommandLabel = "VERB")
final class DataCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a verb is missing: pack, index, inspect or verify");
    }

    /** Shards given by path or pattern. */
    abstract static class OnShards implements Callable<Integer> {

        @Parameters(
                arity = "1..*",
                paramLabel = "SHARDS",
                description = "WebDataset shards: paths or patterns such as train-{00..09}.tar.gz.")
        private List<String> patterns;

        @Option(names = "--cache", paramLabel = "DIR", description = "Where indexes and expanded shards are kept.")
        private Path cache;

        @Option(names = "--json", description = "Prints one JSON object as the last line.")
        boolean json;

        DataSet open() throws IOException {
            Path directory = cache != null
                    ? cache
                    : Path.of(RunConfig.load("", List.of()).config().data().cacheDirectory());
            return DataSet.open(patterns, directory);
        }
    }

    @Command(name = "pack", description = "Packs IDX files (plain or gzip) into WebDataset shards of PNG images.")
    static final class Pack implements Callable<Integer> {

        @Option(
                names = "--images",
                required = true,
                paramLabel = "IDX",
                description = "Images, IDX3 of unsigned bytes.")
        private Path images;

        @Option(
                names = "--labels",
                required = true,
                paramLabel = "IDX",
                description = "Labels, IDX1 of unsigned bytes.")
        private Path labels;

        @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder for the shards.")
        private Path out;

        @Option(names = "--prefix", defaultValue = "train", description = "Shard name; default ${DEFAULT-VALUE}.")
        private String prefix;

        @Option(
                names = "--per-shard",
                defaultValue = "2000",
                description = "Images in a shard; default ${DEFAULT-VALUE}.")
        private int perShard;

        @Option(names = "--limit", defaultValue = "0", description = "Only the first N images; default all.")
        private long limit;

        @Option(
                names = "--classes",
                split = ",",
                description = "Names of the labels, comma-separated, for classes.txt.")
        private List<String> classes = List.of();

        @Option(names = "--json", description = "Prints one JSON object as the last line.")
        private boolean json;

        @Override
        public Integer call() throws IOException {
            PackReport report = Packer.packIdx(images, labels, out, prefix, perShard, limit, classes);
            System.out.printf(
                    Locale.ROOT,
                    "%d images of %d classes in %d shards, %.1f MB, in %s%n",
                    report.samples(),
                    report.classes(),
                    report.shards().size(),
                    report.bytes() / 1e6,
                    out);
            if (json) {
                Map<String, Object> fields = new LinkedHashMap<>();
                fields.put("images", report.samples());
                fields.put("shards", report.shards().size());
                fields.put("bytes", report.bytes());
                System.out.println(Json.line(fields));
            }
            return CommandLine.ExitCode.OK;
        }
    }

    @Command(name = "index", description = "Builds the indexes of shards, so that training need not.")
    static final class Index extends OnShards {

        @Override
        public Integer call() throws IOException {
            try (DataSet data = open()) {
                int[] counts = data.sampleCounts();
                for (int shard = 0; shard < counts.length; shard++) {
                    System.out.printf(
                            Locale.ROOT,
                            "%10d  %s%n",
                            counts[shard],
                            data.shards().get(shard));
                }
                System.out.printf(Locale.ROOT, "%10d  in %d shards%n", data.size(), counts.length);
                if (json) {
                    Map<String, Object> fields = new LinkedHashMap<>();
                    fields.put("images", data.size());
                    fields.put("shards", counts.length);
                    System.out.println(Json.line(fields));
                }
            }
            return CommandLine.ExitCode.OK;
        }
    }

    @Command(name = "inspect", description = "Counts samples, labels and sizes from headers alone.")
    static final class Inspect extends OnShards {

        @Override
        public Integer call() throws IOException {
            try (DataSet data = open()) {
                return print(Verification.inspect(data), json);
            }
        }
    }

    @Command(
            name = "verify",
            description = "Decodes every sample.",
            footer = "%nExit 1 with the list when a sample is broken.")
    static final class Verify extends OnShards {

        @Override
        public Integer call() throws IOException {
            try (DataSet data = open()) {
                return print(Verification.verify(data), json);
            }
        }
    }

    private static int print(VerificationReport report, boolean json) {
        System.out.printf(
                Locale.ROOT,
                "%d samples in %d shards, %.1f MB of encoded images%n",
                report.samples(),
                report.shards(),
                report.bytes() / 1e6);
        System.out.println("sizes   " + counts(report.sizes()));
        System.out.println("labels  " + counts(report.labels()));
        for (BadSample bad : report.broken()) {
            System.out.println("broken  " + bad.shard() + " at " + bad.offset() + " " + bad.key() + ": " + bad.cause());
        }
        System.out.println(report.passed() ? "no broken samples" : report.brokenCount() + " broken samples");
        if (json) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("images", report.samples());
            fields.put("shards", report.shards());
            fields.put("bytes", report.bytes());
            fields.put("broken", report.brokenCount());
            fields.put("passed", report.passed());
            System.out.println(Json.line(fields));
        }
        return report.passed() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }

    private static String counts(Map<?, Long> counts) {
        return counts.entrySet().stream()
                .limit(20)
                .map(entry -> entry.getKey() + ": " + entry.getValue())
                .collect(Collectors.joining(", "));
    }
}
