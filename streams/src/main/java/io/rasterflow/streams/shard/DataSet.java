package io.rasterflow.streams.shard;

import io.rasterflow.streams.curate.NearDuplicate;
import io.rasterflow.streams.format.Damage;
import io.rasterflow.streams.format.SampleEntry;
import io.rasterflow.streams.memory.BufferPool;
import io.rasterflow.streams.metrics.PipelineMetrics;
import io.rasterflow.streams.order.MixedOrder;
import io.rasterflow.streams.order.Order;
import io.rasterflow.streams.order.SampleId;
import io.rasterflow.streams.order.SampleOrder;
import io.rasterflow.streams.storage.Storage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Lists of shards with known sample counts and random access to the samples, from one source or several that are mixed. Safe
 * for use by many threads. Only the most recently used shards are held open, with their indexes in memory.
 */
public final class DataSet implements Samples {

    private final Storage storage;
    private final ShardFetcher fetcher;
    private final OpenShards open;
    private final List<ShardRef> shards;
    private final int[] counts;
    private final long size;
    private final List<DataSource> sources;
    private final int aheadShards;
    private final PipelineMetrics metrics;
    private final BufferPool buffers = new BufferPool();

    private DataSet(
            Storage storage,
            ShardFetcher fetcher,
            int aheadShards,
            List<ShardRef> shards,
            int[] counts,
            List<DataSource> sources) {
        this.storage = storage;
        this.fetcher = fetcher;
        this.aheadShards = aheadShards;
        this.metrics = fetcher.cache().metrics();
        this.shards = List.copyOf(shards);
        this.counts = counts;
        this.size = Arrays.stream(counts).asLongStream().sum();
        this.sources = List.copyOf(sources);
        this.open = new OpenShards(fetcher.cache(), this.shards, counts);
    }

    /**
     * One source with the default settings.
     *
     * @param names see {@link ShardList}
     * @param cacheDirectory folder for indexes and shards; made if missing, may be shared by processes
     * @throws IOException see {@link #open(Map, DataConfig)}
     */
    public static DataSet open(List<String> names, Path cacheDirectory) throws IOException {
        return open(names, DataConfig.in(cacheDirectory));
    }

    /** One source. */
    public static DataSet open(List<String> names, DataConfig config) throws IOException {
        return open(Map.of(SourceConfig.ONLY, new SourceConfig(names, 1)), config);
    }

    /**
     * Finds the shards, and looks through those of which neither the cache nor a manifest knows what they hold.
     *
     * @param named sources by their names, in the order in which their shards are numbered
     * @throws IOException one line that names the shard and the offset, or what is missing
     * @throws IllegalArgumentException if a source names nothing or holds no sample
     */
    public static DataSet open(Map<String, SourceConfig> named, DataConfig config) throws IOException {
        return open(named, Map.of(), config);
    }

    /** @param found shards of sources for which they need not be looked for */
    private static DataSet open(Map<String, SourceConfig> named, Map<String, List<ShardRef>> found, DataConfig config)
            throws IOException {
        Storage storage = new Storage(config.storage());
        ShardFetcher fetcher = null;
        try {
            ShardCache cache = new ShardCache(config, storage);
            fetcher = new ShardFetcher(cache, config.cache());
            List<ShardRef> shards = new ArrayList<>();
            Map<String, Integer> firsts = new LinkedHashMap<>();
            for (Map.Entry<String, SourceConfig> source : named.entrySet()) {
                firsts.put(source.getKey(), shards.size());
                List<ShardRef> own = found.get(source.getKey());
                shards.addAll(own != null ? own : shards(source.getKey(), source.getValue(), storage, config.cache()));
            }
            ShardList.requireFiles(shards);
            int[] counts = fetcher.counts(shards);
            return new DataSet(
                    storage, fetcher, config.cache().aheadShards(), shards, counts, sources(named, firsts, counts));
        } catch (IOException | RuntimeException e) {
            if (fetcher != null) {
                fetcher.close();
            }
            storage.close();
            throw e;
        }
    }

    /**
     * What names stand for, see {@link ShardList}; nothing of the shards is read.
     *
     * @throws IOException one line, if a list or folder cannot be read
     */
    public static List<ShardRef> list(List<String> names, DataConfig config) throws IOException {
        Path directory = Files.createDirectories(Path.of(config.cache().directory()));
        try (Storage storage = new Storage(config.storage())) {
            return ShardList.of(names, storage, directory);
        }
    }

    /** One shard by itself, with all that is in it, whatever a manifest says. */
    public static DataSet of(ShardRef shard, DataConfig config) throws IOException {
        String name = SourceConfig.ONLY;
        SourceConfig source = new SourceConfig(List.of(shard.name()), 1);
        return open(Map.of(name, source), Map.of(name, List.of(shard.uncounted())), config);
    }

    private static List<ShardRef> shards(String name, SourceConfig source, Storage storage, CacheConfig cache)
            throws IOException {
        if (source.shards().isEmpty()) {
            throw new IllegalArgumentException("the source " + name + " is empty; name a shard, a range or a folder");
        }
        return ShardList.of(source.shards(), storage, Path.of(cache.directory()));
    }

    private static List<DataSource> sources(
            Map<String, SourceConfig> named, Map<String, Integer> firsts, int[] counts) {
        List<DataSource> sources = new ArrayList<>();
        List<String> names = List.copyOf(firsts.keySet());
        for (int i = 0; i < names.size(); i++) {
            SourceConfig config = named.get(names.get(i));
            int first = firsts.get(names.get(i));
            int end = i + 1 < names.size() ? firsts.get(names.get(i + 1)) : counts.length;
            int[] own = Arrays.copyOfRange(counts, first, end);
            DataSource source = new DataSource(names.get(i), config.weight(), first, own);
            if (source.samples() == 0) {
                throw new IllegalArgumentException("no images in " + String.join(", ", config.shards())
                        + "; a shard must hold KEY.jpg, KEY.png, KEY.webp or KEY.gif files that data.curate lets pass");
            }
            sources.add(source);
        }
        return sources;
    }

    /** The shards in order. */
    public List<ShardRef> shards() {
        return shards;
    }

    @Override
    public List<DataSource> sources() {
        return sources;
    }

    /** Samples in each shard. */
    public int[] sampleCounts() {
        return counts.clone();
    }

    @Override
    public long size() {
        return size;
    }

    /** Shards stay where they are. */
    @Override
    public void needFrom(long position, Order order) {}

    @Override
    public PipelineMetrics metrics() {
        return metrics;
    }

    @Override
    public int aheadShards() {
        return aheadShards;
    }

    @Override
    public String shardName(int shard) {
        return shards.get(shard).name();
    }

    @Override
    public BufferPool buffers() {
        return buffers;
    }

    @Override
    public Order order(long seed, int windowShards) {
        if (sources.size() == 1) {
            return new SampleOrder(seed, counts, windowShards);
        }
        return new MixedOrder(
                seed,
                sources.stream()
                        .map(source -> new MixedOrder.Source(source.name(), source.weight(), source.counts()))
                        .toList(),
                windowShards);
    }

    @Override
    public void prefetch(int[] upcoming) {
        for (int shard : upcoming) {
            fetcher.prefetch(shards.get(shard));
        }
    }

    @Override
    public RawSample read(SampleId id) throws IOException {
        return open.read(id.shard(), id.sample());
    }

    /** As {@link #read(SampleId)}. */
    public RawSample read(int shard, int sample) throws IOException {
        return open.read(shard, sample);
    }

    /** Samples in one shard. */
    public int shardSize(int shard) {
        return counts[shard];
    }

    /** As {@link #entry(SampleId)}. */
    public SampleEntry entry(int shard, int sample) throws IOException {
        return open.entry(shard, sample);
    }

    @Override
    public SampleEntry entry(SampleId id) throws IOException {
        return open.entry(id.shard(), id.sample());
    }

    /** Where shards are cut or damaged, as far as their indexes are known; the samples before that place are used. */
    public SortedMap<Integer, Damage> damages() {
        SortedMap<Integer, Damage> damages = new TreeMap<>();
        for (int shard = 0; shard < counts.length; shard++) {
            Damage damage = fetcher.cache().damageOrNull(shards.get(shard));
            if (damage != null) {
                damages.put(shard, damage);
            }
        }
        return damages;
    }

    /** What was left out of each source, in their order; nothing unless {@code data.curate} asks for it. */
    public List<LeftOut> leftOut() {
        return fetcher.cache().curates() ? sources.stream().map(this::leftOut).toList() : List.of();
    }

    private LeftOut leftOut(DataSource source) {
        SortedMap<String, Long> causes = new TreeMap<>();
        SortedMap<String, Integer> duplicates = new TreeMap<>();
        List<LeftOut.Pair> pairs = new ArrayList<>();
        int end = source.firstShard() + source.counts().length;
        for (ShardRef shard : shards.subList(source.firstShard(), end)) {
            SortedMap<String, Integer> counts = fetcher.cache().leftOut(shard);
            counts.forEach((cause, number) -> causes.merge(cause, (long) number, Long::sum));
            if (counts.containsKey(NearDuplicate.CAUSE)) {
                duplicates.put(shard.name(), counts.get(NearDuplicate.CAUSE));
            }
            fetcher.cache().duplicates(shard).forEach(pair -> pairs.add(new LeftOut.Pair(shard.name(), pair)));
        }
        return new LeftOut(source, source.counts().length, causes, duplicates, pairs);
    }

    /** What the index of a shard says, such as what curation left out of it. */
    public ShardIndex index(int shard) throws IOException {
        return fetcher.cache().index(shards.get(shard));
    }

    /**
     * What the cache holds and has done. Reads its whole folder.
     *
     * @throws IOException if that cannot be read
     */
    public CacheUsage cache() throws IOException {
        return fetcher.cache().usage();
    }

    /** Closes the shards; reads that are under way end first. */
    @Override
    public void close() throws IOException {
        fetcher.close();
        open.close();
        storage.close();
    }
}
