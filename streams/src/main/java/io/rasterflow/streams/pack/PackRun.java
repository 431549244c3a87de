package io.rasterflow.streams.pack;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rasterflow.streams.order.KeyedPermutation;
import io.rasterflow.streams.pack.source.PackSource;
import io.rasterflow.streams.shard.Manifest;
import io.rasterflow.streams.storage.AtomicFile;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * One packing, from its first item or from where a killed one stopped. Items are attempted side by side, but their outcomes
 * are taken in order by one thread: the shards are a pure function of the outcomes.
 */
final class PackRun implements Closeable {

    private static final long COMMIT_NANOS = 1_000_000_000L;
    private static final int MAX_NUMBERED_CLASSES = 10_000;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final PackSource source;
    private final PackConfig config;
    private final PackFiles files;
    private final PackJournal journal;
    private final Packer.Progress progress;

    // The state that a checkpoint holds
    private Checkpoint at;
    private ShardWriter writer;
    private AppendedFile failures;
    private ContentHashes hashes;
    private long lastCommit = System.nanoTime();
    private String firstCause = "";

    /**
     * Opens the folder.
     *
     * @param progress hears how far the pass is
     * @throws IOException one line, if something else was packed there
     */
    PackRun(PackSource source, PackConfig config, Path folder, Packer.Progress progress) throws IOException {
        this.source = source;
        this.config = config;
        this.files = new PackFiles(folder, config);
        this.progress = progress;
        if (!source.randomAccess() && config.shuffle().isPresent()) {
            throw new IllegalArgumentException(
                    "this input can be read in its order only; pack it without --shuffle, and"
                            + " then the shards with --shards … --shuffle SEED into another folder");
        }
        Path first = files.shard(0);
        if (!Files.exists(files.journal()) && Files.exists(first)) {
            throw new IOException(first + " exists but was not packed by this command; use another --out or --prefix");
        }
        Map<String, String> arguments = new LinkedHashMap<>(source.identity());
        arguments.putAll(config.arguments());
        this.journal = PackJournal.open(files.journal(), arguments);
        this.at = journal.last();
        try {
            recover();
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private void recover() throws IOException {
        int shards = journal.shards().size();
        for (int shard = 0; shard < shards; shard++) {
            ShardWriter.publish(files, shard);
        }
        writer = new ShardWriter(files, shards, at);
        failures = new AppendedFile(files.failures(), at.failureBytes());
        if (config.dedup()) {
            hashes = new ContentHashes(files.hashes(), at.samples());
        }
    }

    /** Number of items of the whole packing. */
    static long items(PackSource source, PackConfig config) {
        return config.limit() > 0 ? Math.min(config.limit(), source.size()) : source.size();
    }

    /** Packs what is left to pack. */
    PackReport run(boolean retryFailed) throws IOException, InterruptedException {
        if (!at.done()) {
            pass();
        }
        if (retryFailed && at.failed() > 0) {
            AtomicFile.write(files.retry(), out -> Files.copy(files.failures(), out));
            at = at.nextPass();
            journal.commit(at);
            failures.close();
            failures = new AppendedFile(files.failures(), 0);
            pass();
        }
        if (journal.shards().isEmpty()) {
            throw new IOException("none of the " + at.next() + " images could be packed"
                    + (firstCause.isEmpty() ? "" : "; the first, " + firstCause) + "; all stand in "
                    + files.failures());
        }
        return report();
    }

    private void pass() throws IOException, InterruptedException {
        long[] retried = at.pass() > 0 ? retried() : null;
        long size = retried == null ? items(source, config) : retried.length;
        LongUnaryOperator order = order(retried, size);
        try (Loading loading = new Loading(source, config)) {
            attempt(loading, order, size);
        } catch (IOException | InterruptedException | RuntimeException e) {
            try {
                commit(); // what was done need not be done again
            } catch (IOException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
        if (writer.samples() > 0) {
            finishShard();
        }
        if (!journal.shards().isEmpty()) {
            writeLists();
        }
        at = new Checkpoint(
                at.pass(),
                at.next(),
                at.samples(),
                at.failed(),
                at.duplicates(),
                at.maxLabel(),
                0,
                0,
                failures.bytes(),
                true);
        commit();
    }

    private void attempt(Loading loading, LongUnaryOperator order, long size) throws IOException, InterruptedException {
        long begun = at.next();
        while (at.next() < size) {
            while (begun < size && loading.hasRoom()) {
                loading.begin(order.applyAsLong(begun++));
            }
            Loading.Outcome outcome = loading.poll(begun < size);
            if (outcome != null) {
                take(outcome);
                progress.at(at.next(), size);
            }
        }
    }

    private LongUnaryOperator order(long[] retried, long size) {
        if (retried != null) {
            return attempt -> retried[(int) attempt];
        }
        if (config.shuffle().isEmpty() || size == 0) {
            return attempt -> attempt;
        }
        return new KeyedPermutation(size, config.shuffle().getAsLong())::apply;
    }

    private long[] retried() throws IOException {
        try (BufferedReader reader = Files.newBufferedReader(files.retry())) {
            LongStream.Builder items = LongStream.builder();
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                items.add(MAPPER.readTree(line).path("item").asLong());
            }
            return items.build().toArray();
        }
    }

    private void take(Loading.Outcome outcome) throws IOException {
        PackedImage image = outcome.image();
        if (image == null) {
            fail(outcome);
            at = advanced(0, 1, 0, at.maxLabel());
        } else if (hashes != null && !hashes.add(image.hash())) {
            at = advanced(0, 0, 1, at.maxLabel());
        } else {
            byte[] entries = writer.entries(outcome.key(), outcome.item(), image);
            if (writer.samples() > 0 && writer.bytes() + entries.length > config.shardBytes()) {
                finishShard();
                entries = writer.entries(outcome.key(), outcome.item(), image);
            }
            writer.add(entries);
            at = advanced(1, 0, 0, Math.max(at.maxLabel(), named(image.label(), outcome)));
            if (writer.samples() == config.perShard()) {
                finishShard();
            }
        }
        if (System.nanoTime() - lastCommit > COMMIT_NANOS) {
            commit();
        }
    }

    private int named(int label, Loading.Outcome outcome) {
        int names = config.classNames().size();
        if (names > 0 && label >= names) {
            throw new IllegalArgumentException("label " + label + " of " + outcome.origin() + " has no name: only "
                    + names + " class names were given");
        }
        return label;
    }

    private Checkpoint advanced(int samples, int failed, int duplicates, int maxLabel) {
        return new Checkpoint(
                at.pass(),
                at.next() + 1,
                at.samples() + samples,
                at.failed() + failed,
                at.duplicates() + duplicates,
                maxLabel,
                writer.samples(),
                writer.bytes(),
                failures.bytes(),
                false);
    }

    private void fail(Loading.Outcome outcome) throws IOException {
        if (firstCause.isEmpty()) {
            firstCause = outcome.origin() + ": " + outcome.cause();
        }
        ObjectNode line = MAPPER.createObjectNode();
        line.put("item", outcome.item());
        line.put("key", outcome.key());
        line.put("origin", outcome.origin());
        line.put("cause", outcome.cause());
        failures.write((MAPPER.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private void finishShard() throws IOException {
        Manifest.Shard shard = writer.finish();
        syncLists();
        at = new Checkpoint(
                at.pass(),
                at.next(),
                at.samples(),
                at.failed(),
                at.duplicates(),
                at.maxLabel(),
                0,
                0,
                failures.bytes(),
                false);
        journal.commit(at, shard);
        writer.publish();
        lastCommit = System.nanoTime();
    }

    private void commit() throws IOException {
        writer.sync();
        syncLists();
        journal.commit(at);
        lastCommit = System.nanoTime();
    }

    private void syncLists() throws IOException {
        failures.sync();
        if (hashes != null) {
            hashes.sync();
        }
    }

    private void writeLists() throws IOException {
        List<String> classes = classes();
        if (!classes.isEmpty()) {
            String text = String.join("\n", classes) + "\n";
            AtomicFile.write(files.classes(), out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
        }
        new Manifest(journal.shards(), classes).write(files.manifest());
    }

    private List<String> classes() {
        List<String> names = config.classNames().isEmpty() ? source.classes() : config.classNames();
        if (names.isEmpty() && at.maxLabel() < MAX_NUMBERED_CLASSES) {
            return IntStream.rangeClosed(0, at.maxLabel())
                    .mapToObj(Integer::toString)
                    .toList();
        }
        return names;
    }

    private PackReport report() {
        List<Manifest.Shard> shards = journal.shards();
        return new PackReport(
                IntStream.range(0, shards.size()).mapToObj(files::shard).toList(),
                at.samples(),
                classes().size(),
                shards.stream().mapToLong(Manifest.Shard::bytes).sum(),
                at.failed(),
                at.duplicates(),
                files.manifest(),
                files.failures());
    }

    @Override
    public void close() throws IOException {
        try (Closeable a = journal; // the lock goes last
                Closeable b = writer;
                Closeable c = failures;
                Closeable d = hashes) {
            if (at.failed() == 0 && failures != null) {
                Files.deleteIfExists(files.failures());
            }
        }
    }
}
