package io.rasterflow.streams.storage;

import io.rasterflow.streams.storage.StorageException.Kind;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Where shards come from: {@code file:}, {@code http:}, {@code https:} and {@code s3:}. Calls block, have a deadline on every
 * wait, end when their thread is interrupted, and may come from many threads. A storage has a few threads and connections of
 * its own, so a process opens one and closes it at the end; memory is a few network buffers for each call under way.
 *
 * <p>Failures are {@link StorageException}s of one line, or {@link java.io.InterruptedIOException}. Connection errors, stalls,
 * truncated bodies and the statuses 408, 425, 429 and 5xx are tried again, after a wait that doubles, as {@link StorageConfig}
 * bounds it.
 */
public final class Storage implements AutoCloseable {

    private final StorageConfig config;
    private final Lifetime lifetime = new Lifetime();
    private final RateLimit rate;
    private final Map<String, ObjectStore> stores = new HashMap<>();
    private final Map<String, Counters> counters = new ConcurrentHashMap<>();

    public Storage(StorageConfig config) {
        this.config = config;
        this.rate = new RateLimit(config.bytesPerSecond(), lifetime);
    }

    /**
     * What a user writes for a place: a path, {@code file:}, {@code http:}, {@code https:} or {@code s3:}. S3 keys are taken
     * literally ({@code s3://bucket/a b%é}); elsewhere spaces and the like may be written as they are.
     *
     * @throws IllegalArgumentException one line, for any other scheme or text
     */
    public static URI uri(String location) {
        return Locations.parse(location);
    }

    /** A location as it may be shown and logged: without user, password, query (where signatures stand) and fragment. */
    public static String shown(URI uri) {
        return Locations.clean(uri);
    }

    /** Looks at an object. */
    public ObjectInfo stat(URI uri) throws IOException {
        ObjectStore store = store(uri);
        return trying(uri, () -> store.stat(uri));
    }

    /** The objects that lie directly in a folder, in the order of their names; HTTP cannot tell. */
    public List<URI> list(URI folder) throws IOException {
        ObjectStore store = store(folder);
        List<URI> objects = new ArrayList<>();
        String after = "";
        do {
            String from = after;
            ObjectStore.Page page = trying(folder, () -> store.list(folder, from));
            objects.addAll(page.objects());
            after = page.next();
        } while (!after.isEmpty());
        return objects;
    }

    /**
     * Brings an object into the file {@code part}, whole and with the right checksum as far as one is known. What is there
     * from an earlier call, also of another process, is kept if it is of the same version; which that is stands in {@code
     * PART.of} until the part is complete. After a failure the part stays for another call, except when the object was
     * replaced or is damaged: then nothing stays. Only one fetch at a time may write a part.
     *
     * @param object as {@link #stat} told it, or {@link ObjectInfo#at}, whose version is then that of the first response; an
     *     object of another version is a failure of kind CHANGED, never a mixture
     */
    public void fetch(ObjectInfo object, Path part) throws IOException {
        ObjectStore store = store(object.uri());
        new Download(config, lifetime, rate, counters(object.uri()), store, object).into(part);
    }

    /** Counts since the storage was opened. */
    public StorageMetrics metrics() {
        Map<String, StorageMetrics.Counts> counts = new HashMap<>();
        counters.forEach((store, counter) -> counts.put(store, counter.snapshot()));
        return new StorageMetrics(counts);
    }

    @FunctionalInterface
    private interface Call<T> {
        T call() throws IOException;
    }

    private <T> T trying(URI uri, Call<T> call) throws IOException {
        Counters counted = counters(uri);
        Attempts attempts = new Attempts(config, lifetime, counted, uri);
        while (true) {
            try {
                counted.requests.increment();
                return call.call();
            } catch (StorageException e) {
                attempts.failed(e);
            }
        }
    }

    private Counters counters(URI uri) {
        String host = uri.getRawAuthority() == null
                ? ""
                : "//" + uri.getRawAuthority().replaceFirst(".*@", "");
        return counters.computeIfAbsent(scheme(uri) + ":" + host, name -> new Counters());
    }

    private static String scheme(URI uri) {
        return String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
    }

    private ObjectStore store(URI uri) throws StorageException {
        synchronized (stores) {
            if (lifetime.isClosed()) {
                throw StorageException.closed(uri);
            }
            return switch (scheme(uri)) {
                case "file" -> stores.computeIfAbsent("file", scheme -> new FileStore());
                case "http", "https" -> stores.computeIfAbsent("http", scheme -> new HttpStore(config, lifetime));
                case "s3" -> stores.computeIfAbsent("s3", scheme -> new S3Store(config, lifetime));
                default ->
                    throw new StorageException(
                            Kind.OTHER,
                            uri,
                            "the scheme " + uri.getScheme() + " is not known",
                            "use a path or a file:, http:, https: or s3: URL");
            };
        }
    }

    /** Ends all calls that are under way, which fail, and all threads and connections. */
    @Override
    public void close() {
        synchronized (stores) {
            lifetime.close();
            stores.values().forEach(ObjectStore::close);
            stores.clear();
        }
    }
}
