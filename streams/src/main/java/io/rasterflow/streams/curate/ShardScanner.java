package io.rasterflow.streams.curate;

import io.rasterflow.streams.format.Damage;
import io.rasterflow.streams.format.FolderSlice;
import io.rasterflow.streams.format.LabelRule;
import io.rasterflow.streams.format.TarSamples;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * Finds the samples of shards, with their labels, and leaves out those that the curation does not want. What it finds in a
 * shard depends on the bytes of that shard alone. Safe for use by many threads.
 */
public final class ShardScanner {

    /** Changes whenever the same shard and configuration give another list of samples. */
    private static final int VERSION = 2;

    private final CurationConfig config;
    private final LabelRule labels;
    private final List<ServiceLoader.Provider<SampleFilter>> own;
    private final long fingerprint;

    /** @throws IllegalArgumentException one line, if a filter that {@code config} names is not on the class path */
    public ShardScanner(CurationConfig config, LabelRule labels) {
        this.config = config;
        this.labels = labels;
        this.own = new ArrayList<>();
        StringBuilder identity = new StringBuilder();
        identity.append(VERSION).append('\n').append(labels).append('\n').append(config);
        if (!config.filters().isEmpty()) {
            List<ServiceLoader.Provider<SampleFilter>> found =
                    ServiceLoader.load(SampleFilter.class).stream().toList();
            List<String> names = found.stream().map(ShardScanner::name).toList();
            for (String name : config.filters()) {
                int at = names.indexOf(name);
                if (at < 0 || at != names.lastIndexOf(name)) {
                    throw new IllegalArgumentException("data.curate.filters names " + name + ", which is "
                            + (at < 0 ? "not" : "more than once") + " among the filters on the class path: " + names);
                }
                own.add(found.get(at));
                identity.append('\n').append(name).append(' ').append(version(found.get(at)));
            }
        }
        this.fingerprint = hash(identity.toString());
    }

    /** Takes every sample, with labels in the usual places. */
    public static ShardScanner ofEverything() {
        return new ShardScanner(CurationConfig.NONE, LabelRule.usual());
    }

    /** The same for the same configuration, filters and version of this code: what an index was made with. */
    public long fingerprint() {
        return fingerprint;
    }

    /**
     * Scans a whole shard.
     *
     * @param tar uncompressed
     * @param shard its name in messages
     * @throws io.rasterflow.streams.format.ShardFormatException if it is cut or damaged, or a sample is broken
     */
    public Scan scan(Path tar, String shard) throws IOException {
        Scan scan = scan(tar, shard, Optional.empty(), true);
        if (scan.damage().isPresent()) {
            throw scan.damage().get().exception(shard);
        }
        return scan;
    }

    /**
     * Scans as much of a shard as there is: broken samples are left out and counted, and a damage ends the scan but not
     * more.
     *
     * @param known what {@link io.rasterflow.streams.format.ShardFormat#salvage} said about the shard
     */
    public Scan salvage(Path tar, String shard, Optional<Damage> known) throws IOException {
        return scan(tar, shard, known, false);
    }

    private Scan scan(Path tar, String shard, Optional<Damage> known, boolean strict) throws IOException {
        try (Curation curation = open(shard, strict)) {
            long limit = known.map(Damage::offset).orElse(Long.MAX_VALUE);
            Optional<Damage> found = TarSamples.scan(tar, shard, limit, labels, curation);
            return new Scan(curation.kept(), curation.leftOut(), curation.duplicates(), known.or(() -> found));
        }
    }

    /** Scans the files of a folder. */
    public Scan scan(FolderSlice slice) throws IOException {
        try (Curation curation = open(slice.root() + " slice " + slice.number(), true)) {
            slice.scan(curation);
            return new Scan(curation.kept(), curation.leftOut(), curation.duplicates(), Optional.empty());
        }
    }

    private Curation open(String shard, boolean strict) {
        return new Curation(
                config, own.stream().map(ServiceLoader.Provider::get).toList(), shard, strict);
    }

    private static String name(ServiceLoader.Provider<SampleFilter> provider) {
        try (SampleFilter filter = provider.get()) {
            return filter.name();
        }
    }

    private static String version(ServiceLoader.Provider<SampleFilter> provider) {
        try (SampleFilter filter = provider.get()) {
            return filter.version();
        }
    }

    private static long hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(digest).getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
