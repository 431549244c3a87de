package io.rasterflow.streams.pack;

import io.rasterflow.streams.batch.BadSample;
import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.ImageHeader;
import io.rasterflow.streams.decode.Pixels;
import io.rasterflow.streams.pack.source.Digests;
import io.rasterflow.streams.shard.DataConfig;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.RawSample;
import io.rasterflow.streams.shard.ShardRef;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Looks at every sample of shards. The report does not depend on the number of threads. */
public final class Verification {

    /** Samples of a kind that a report names. */
    static final int MAX_LISTED = 1_000;

    private static final int BLOCK = 64;

    private final boolean decode;
    private final int threads;
    private final ExecutorService executor;
    private final Packer.Progress progress;

    // The report in the making; touched by the calling thread only
    private final SortedMap<Integer, Long> labels = new TreeMap<>();
    private final SortedMap<String, Long> formats = new TreeMap<>();
    private final SortedMap<String, Long> sizes = new TreeMap<>();
    private final SortedMap<Integer, Long> shorterSides = new TreeMap<>();
    private final SortedMap<VerificationReport.Aspect, Long> aspects = new TreeMap<>();
    private final HashSet128 keys = new HashSet128();
    private final List<String> duplicateKeys = new ArrayList<>();
    private long duplicateKeyCount;
    private final List<BadSample> broken = new ArrayList<>();
    private long brokenCount;
    private final List<String> faults = new ArrayList<>();
    private long bytes;
    private long samples;
    private int shards;

    private Verification(boolean decode, int threads, Packer.Progress progress) {
        if (threads < 1) {
            throw new IllegalArgumentException("--threads must be at least 1 but is " + threads);
        }
        this.decode = decode;
        this.threads = threads;
        this.progress = progress;
        this.executor = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "rasterflow-verify");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Decodes every sample of an open data set. */
    public static VerificationReport verify(DataSet data) throws IOException {
        return new Verification(true, Runtime.getRuntime().availableProcessors(), (done, total) -> {}).of(data);
    }

    /** Reads headers and checksums of images only, which is many times faster for large ones. */
    public static VerificationReport inspect(DataSet data) throws IOException {
        return inspect(data, Runtime.getRuntime().availableProcessors(), (done, total) -> {});
    }

    /**
     * The same.
     *
     * @param progress hears of samples
     */
    public static VerificationReport inspect(DataSet data, int threads, Packer.Progress progress) throws IOException {
        return new Verification(false, threads, progress).of(data);
    }

    /**
     * Decodes every sample of shards, one shard after the other, so that a damaged one does not hide the others; and
     * compares their bytes and counts with what a manifest says.
     *
     * @param shards see {@link DataSet#list}
     * @param progress hears of shards
     */
    public static VerificationReport verify(
            List<ShardRef> shards, DataConfig config, int threads, Packer.Progress progress) throws IOException {
        Verification verification = new Verification(true, threads, (done, total) -> {});
        try {
            for (ShardRef shard : shards) {
                verification.shard(shard, config);
                progress.at(verification.shards, shards.size());
            }
            return verification.report();
        } finally {
            verification.executor.shutdownNow();
        }
    }

    private VerificationReport of(DataSet data) throws IOException {
        try {
            look(data);
            shards = data.sampleCounts().length;
            return report();
        } finally {
            executor.shutdownNow();
        }
    }

    private VerificationReport report() {
        return new VerificationReport(
                shards,
                samples,
                bytes,
                labels,
                formats,
                sizes,
                shorterSides,
                aspects,
                duplicateKeys,
                duplicateKeyCount,
                broken,
                brokenCount,
                faults);
    }

    private void shard(ShardRef shard, DataConfig config) throws IOException {
        shards++;
        if (shard.slice().isEmpty() && shard.file().isPresent()) {
            if (!Files.isRegularFile(shard.file().get())) {
                faults.add(shard.name() + " is missing");
                return;
            }
            compare(shard, shard.file().get());
        }
        long before = samples;
        try (DataSet data = DataSet.of(shard, config)) {
            look(data);
        } catch (IOException | IllegalArgumentException e) {
            faults.add(firstLine(e));
            return;
        }
        if (shard.samples() >= 0 && shard.samples() != samples - before) {
            faults.add(
                    shard.name() + " has " + (samples - before) + " samples but the manifest says " + shard.samples());
        }
    }

    /** With what a manifest says; a shard from elsewhere was compared when it came. */
    private void compare(ShardRef shard, Path file) throws IOException {
        if (shard.bytes() >= 0 && shard.bytes() != Files.size(file)) {
            faults.add(shard.name() + " has " + Files.size(file) + " bytes but the manifest says " + shard.bytes());
        } else if (!shard.sha256().isEmpty()) {
            String sha256 = Digests.sha256(file);
            if (!sha256.equals(shard.sha256())) {
                faults.add(shard.name() + " has the sha256 " + sha256 + " but the manifest says " + shard.sha256());
            }
        }
    }

    private static String firstLine(Exception e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    /**
     * What a thread saw of one sample.
     *
     * @param header null if the image is broken
     * @param cause empty if it is not
     */
    private record Found(
            String key,
            int label,
            int shard,
            long offset,
            int length,
            ImageHeader header,
            String cause,
            String firstBytes) {}

    private void look(DataSet data) throws IOException {
        Queue<Future<List<Found>>> underWay = new ArrayDeque<>();
        int[] counts = data.sampleCounts();
        for (int s = 0; s < counts.length; s++) {
            int shard = s;
            for (int from = 0; from < counts[s]; from += BLOCK) {
                int first = from;
                int end = Math.min(counts[s], from + BLOCK);
                underWay.add(executor.submit(() -> look(data, shard, first, end)));
                if (underWay.size() > 2 * threads) {
                    book(data, underWay.remove());
                }
            }
        }
        while (!underWay.isEmpty()) {
            book(data, underWay.remove());
        }
    }

    private List<Found> look(DataSet data, int shard, int from, int end) throws IOException {
        List<Found> found = new ArrayList<>(end - from);
        Pixels pixels = new Pixels();
        try (ImageDecoder decoder = new ImageDecoder(3)) {
            for (int i = from; i < end; i++) {
                RawSample sample = data.read(shard, i);
                ImageHeader header = null;
                String cause = "";
                try {
                    header = ImageHeader.read(sample.bytes());
                    if (decode) {
                        decoder.decode(sample.bytes(), pixels);
                    }
                } catch (DecodeException e) {
                    cause = e.getMessage();
                }
                found.add(new Found(
                        sample.key(),
                        sample.label(),
                        shard,
                        sample.offset(),
                        sample.bytes().length,
                        header,
                        cause,
                        BadSample.firstBytes(sample.bytes())));
            }
        }
        return found;
    }

    private void book(DataSet data, Future<List<Found>> future) throws IOException {
        try {
            for (Found found : future.get()) {
                book(data, found);
            }
            progress.at(samples, data.size());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("the verification was interrupted");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw new IllegalStateException("a sample could not be looked at: " + e.getCause(), e.getCause());
        }
    }

    private void book(DataSet data, Found found) {
        bytes += found.length();
        labels.merge(found.label(), 1L, Long::sum);
        if (!keys.add(Digests.sha256().digest(found.key().getBytes(StandardCharsets.UTF_8)))) {
            duplicateKeyCount++;
            if (duplicateKeys.size() < MAX_LISTED) {
                duplicateKeys.add(found.key());
            }
        }
        if (found.cause().isEmpty()) {
            ImageHeader header = found.header();
            formats.merge(header.format().name(), 1L, Long::sum);
            sizes.merge(header.width() + "x" + header.height(), 1L, Long::sum);
            shorterSides.merge(Math.min(header.width(), header.height()), 1L, Long::sum);
            aspects.merge(VerificationReport.Aspect.of(header.width(), header.height()), 1L, Long::sum);
        } else {
            brokenCount++;
            if (broken.size() < MAX_LISTED) {
                broken.add(new BadSample(
                        data.shardName(found.shard()),
                        found.offset(),
                        found.key(),
                        samples,
                        found.cause(),
                        found.firstBytes()));
            }
        }
        samples++;
    }
}
