package io.rasterflow.cli;

import io.rasterflow.launch.Progress;
import io.rasterflow.streams.pack.Compression;
import io.rasterflow.streams.pack.PackConfig;
import io.rasterflow.streams.pack.PackReport;
import io.rasterflow.streams.pack.Packer;
import io.rasterflow.streams.pack.source.FetchConfig;
import io.rasterflow.streams.pack.source.FolderSource;
import io.rasterflow.streams.pack.source.IdxSource;
import io.rasterflow.streams.pack.source.PackSource;
import io.rasterflow.streams.pack.source.ParquetSource;
import io.rasterflow.streams.pack.source.ShardSource;
import io.rasterflow.streams.pack.source.UrlSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rasterflow data pack}: images in, shards out. */
@Command(
        name = "pack",
        description = "Packs images into WebDataset shards.",
        footer =
                "%nBeside the shards stand manifest.json, classes.txt and, if need be, failures.jsonl. A packing that was"
                        + " interrupted goes on when the same command is given again, and ends with the same bytes.")
final class PackCommand implements Callable<Integer> {

    /** What to pack. */
    static final class Input {

        @ArgGroup(exclusive = false)
        private Idx idx;

        @Option(
                names = "--folder",
                paramLabel = "DIR",
                description = "Image files; the folders directly below are the classes.")
        private Path folder;

        @Option(
                names = "--parquet",
                arity = "1..*",
                paramLabel = "FILE",
                description = "Hugging Face parquet: files, patterns such as part-{0..9}.parquet, or folders.")
        private List<String> parquet;

        @Option(
                names = "--urls",
                paramLabel = "FILE",
                description = "List of image URLs: lines of URL [LABEL], or .csv, .tsv, .jsonl with columns url, label,"
                        + " caption.")
        private Path urls;

        @Option(
                names = "--shards",
                arity = "1..*",
                paramLabel = "SHARDS",
                description = "Local WebDataset shards, to pack them in another way.")
        private List<String> shards;
    }

    /** A pair of IDX files. */
    static final class Idx {

        @Option(
                names = "--images",
                required = true,
                paramLabel = "IDX",
                description = "Images, IDX3 of unsigned bytes, plain or gzip; they become PNG.")
        private Path images;

        @Option(
                names = "--labels",
                required = true,
                paramLabel = "IDX",
                description = "Labels, IDX1 of unsigned bytes.")
        private Path labels;
    }

    @ArgGroup(multiplicity = "1", heading = "Input, one of:%n")
    private Input input;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder for the shards.")
    private Path out;

    @Option(
            names = "--prefix",
            defaultValue = PackConfig.DEFAULT_PREFIX,
            description =
                    "Shard name; default ${DEFAULT-VALUE}. With another one the lists beside the shards bear it too.")
    private String prefix;

    @Option(names = "--per-shard", defaultValue = "2000", description = "Images in a shard; default ${DEFAULT-VALUE}.")
    private int perShard;

    @Option(
            names = "--shard-bytes",
            defaultValue = "1G",
            paramLabel = "SIZE",
            converter = ByteSize.class,
            description = "Largest uncompressed shard, such as 300M; default ${DEFAULT-VALUE}.")
    private long shardBytes;

    @Option(
            names = "--compress",
            description =
                    "${COMPLETION-CANDIDATES}; default none, because images are compressed themselves, and gz for IDX.")
    private Compression compression;

    @Option(
            names = "--size",
            defaultValue = "0",
            paramLabel = "PIXELS",
            description =
                    "Makes images whose shorter side is longer smaller, as JPEG of quality 95; default: images are"
                            + " packed as they are.")
    private int size;

    @Option(names = "--shuffle", paramLabel = "SEED", description = "Mixes the images over the shards.")
    private Long shuffle;

    @Option(names = "--limit", defaultValue = "0", description = "Only the first N images; default all.")
    private long limit;

    @Option(names = "--dedup", description = "Leaves out images with the same bytes as an earlier one.")
    private boolean dedup;

    @Option(
            names = "--no-decode",
            description = "Looks at the header of an image only, instead of decoding it to see that it is whole.")
    private boolean noDecode;

    @Option(
            names = "--classes",
            split = ",",
            description = "Names of the labels 0, 1, …, comma-separated, for classes.txt.")
    private List<String> classes = List.of();

    @Option(names = "--threads", description = "Threads that decode; default: the processors.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--retry-failed",
            description = "Tries once more what failed; what succeeds comes into further shards.")
    private boolean retryFailed;

    @ArgGroup(validate = false, heading = "Downloads:%n")
    private Downloads downloads = new Downloads();

    /** How URLs are fetched. */
    static final class Downloads {

        @Option(names = "--connections", defaultValue = "32", description = "At a time; default ${DEFAULT-VALUE}.")
        private int connections = 32;

        @Option(
                names = "--per-host",
                defaultValue = "8",
                description = "Of these to one host; default ${DEFAULT-VALUE}.")
        private int perHost = 8;

        @Option(
                names = "--max-bytes",
                defaultValue = "16M",
                paramLabel = "SIZE",
                converter = ByteSize.class,
                description = "Largest image; default ${DEFAULT-VALUE}.")
        private long maxBytes = FetchConfig.defaults().maxBytes();

        @Option(
                names = "--timeout",
                defaultValue = "30",
                paramLabel = "SECONDS",
                description = "For one attempt; default ${DEFAULT-VALUE}.")
        private double timeoutSeconds = 30;

        @Option(
                names = "--retries",
                defaultValue = "2",
                description =
                        "Further attempts where a failure may pass, with growing pauses; default ${DEFAULT-VALUE}.")
        private int retries = 2;

        @Option(
                names = "--ignore-robots-tag",
                description = "Takes images that their server marks with X-Robots-Tag: noai, noindex and the like.")
        private boolean ignoreRobotsTag;
    }

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        PackReport report;
        try (PackSource source = open();
                Bar bar = new Bar()) {
            report = Packer.pack(source, config(source), out, retryFailed, bar);
        }
        print(report);
        return CommandLine.ExitCode.OK;
    }

    private PackSource open() throws IOException {
        if (input.folder != null) {
            return FolderSource.open(input.folder);
        }
        if (input.parquet != null) {
            return ParquetSource.open(input.parquet);
        }
        if (input.shards != null) {
            return ShardSource.open(input.shards, out.resolve("." + prefix + ".stage"));
        }
        if (input.urls != null) {
            return UrlSource.open(input.urls, fetching(), Main.VERSION);
        }
        return IdxSource.open(input.idx.images, input.idx.labels);
    }

    private FetchConfig fetching() {
        return new FetchConfig(
                downloads.connections,
                downloads.perHost,
                downloads.maxBytes,
                Math.round(downloads.timeoutSeconds * 1000),
                downloads.retries,
                FetchConfig.defaults().backoffMillis(),
                downloads.ignoreRobotsTag);
    }

    private PackConfig config(PackSource source) {
        PackConfig plain = PackConfig.of(prefix, perShard);
        boolean isIdx = source instanceof IdxSource;
        long count = limit > 0 ? Math.min(limit, source.size()) : source.size();
        return new PackConfig(
                prefix,
                isIdx ? Packer.idxDigits(count, perShard) : plain.digits(),
                perShard,
                shardBytes,
                compression != null ? compression : isIdx ? Compression.GZ : Compression.NONE,
                size,
                shuffle == null ? OptionalLong.empty() : OptionalLong.of(shuffle),
                Math.max(0, limit),
                !noDecode,
                dedup,
                threads,
                source instanceof IdxSource idx ? Packer.idxClasses(idx, count, classes) : classes);
    }

    private void print(PackReport report) {
        System.out.printf(
                Locale.ROOT,
                "%d images of %d classes in %d shards, %.1f MB, in %s%n",
                report.samples(),
                report.classes(),
                report.shards().size(),
                report.bytes() / 1e6,
                out);
        if (report.duplicates() > 0) {
            System.out.println(report.duplicates() + " images left out as duplicates");
        }
        if (report.failed() > 0) {
            System.out.println(report.failed() + " images could not be packed, see " + report.failures()
                    + "; the same command with --retry-failed tries them again");
        }
        if (json) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("images", report.samples());
            fields.put("classes", report.classes());
            fields.put("shards", report.shards().size());
            fields.put("bytes", report.bytes());
            fields.put("failed", report.failed());
            fields.put("duplicates", report.duplicates());
            fields.put("manifest", report.manifest().toString());
            System.out.println(Json.line(fields));
        }
    }

    /** Shows how far it is; what an earlier run did does not count for the rate. */
    private static final class Bar implements Packer.Progress, AutoCloseable {
        private Progress progress;
        private long total;
        private long before;

        @Override
        public void at(long done, long ofTotal) {
            if (progress == null || total != ofTotal) {
                close();
                total = ofTotal;
                before = done - 1;
                progress = new Progress("pack", "images", total - before);
            }
            progress.done(done - before);
        }

        @Override
        public void close() {
            if (progress != null) {
                progress.close();
            }
        }
    }
}
