package io.rasterflow.streams.shard;

import io.rasterflow.streams.format.FolderShards;
import io.rasterflow.streams.format.FolderSlice;
import io.rasterflow.streams.storage.ObjectInfo;
import io.rasterflow.streams.storage.Storage;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What the names in a configuration stand for. A name, after its braces are expanded ({@link ShardPattern}), is one of
 *
 * <ul>
 *   <li>a shard: a path or an {@code http(s)://}, {@code s3://} or {@code file://} URI;
 *   <li>a folder of shards: a path, or a URI that ends with a slash where the store can list; in the order of their names;
 *   <li>a folder of images: a path, see {@link FolderShards};
 *   <li>a manifest, {@code NAME.json}, see {@link Manifest}: only with it shards need not be looked at before training;
 *   <li>a list, {@code NAME.txt}: one name on each line, {@code #} begins a comment.
 * </ul>
 */
final class ShardList {

    private static final Pattern SCHEME = Pattern.compile("^[a-zA-Z][a-zA-Z0-9+.-]*://.*");
    private static final Pattern SHARD_NAME = Pattern.compile("(?i).*\\.(tar|tar\\.gz|tgz|tar\\.zst|parquet)");
    private static final int MAX_LISTS = 3;
    private static final String ADVICE = "; check the name or make shards with `rasterflow data pack`";

    private final Storage storage;
    private final Path directory;
    private final List<ShardRef> shards = new ArrayList<>();

    private ShardList(Storage storage, Path directory) {
        this.storage = storage;
        this.directory = directory;
    }

    /**
     * @param directory where lists and manifests from elsewhere are put for a moment
     * @throws FileNotFoundException one line, if a folder holds nothing
     * @throws IllegalArgumentException one line, for a name that cannot be read
     */
    static List<ShardRef> of(List<String> names, Storage storage, Path directory) throws IOException {
        ShardList list = new ShardList(storage, directory);
        for (String name : names) {
            list.addPattern(name, Optional.empty(), 0);
        }
        return list.shards;
    }

    /** @param base of names without a scheme: the list that they stand in */
    private void addPattern(String pattern, Optional<URI> base, int depth) throws IOException {
        for (String name : ShardPattern.names(pattern)) {
            if (SCHEME.matcher(name).matches()) {
                addUri(Storage.uri(name), base, depth);
            } else if (base.isEmpty()) {
                addPath(Path.of(name), depth);
            } else {
                addUri(relative(base.get(), name), base, depth);
            }
        }
    }

    private void addUri(URI uri, Optional<URI> base, int depth) throws IOException {
        if (uri.getScheme().equals("file")) {
            if (base.isPresent() && !base.get().getScheme().equals("file")) {
                throw new IllegalArgumentException(Storage.shown(base.get()) + " names " + uri
                        + ", a file of this machine; a list from elsewhere may only name what lies elsewhere");
            }
            addPath(Path.of(uri), depth);
        } else if (uri.getPath().endsWith("/")) {
            addFolder(uri);
        } else if (isList(uri.getPath())) {
            addList(uri, fetched(uri), depth);
        } else {
            shards.add(ShardRef.of(uri));
        }
    }

    private void addPath(Path path, int depth) throws IOException {
        if (Files.isDirectory(path)) {
            List<Path> files = shardsIn(path);
            if (files.isEmpty()) {
                addImages(path);
            }
            files.forEach(file -> shards.add(ShardRef.local(file)));
        } else if (isList(path.toString()) && Files.isRegularFile(path)) {
            addList(path.toAbsolutePath().toUri(), path, depth);
        } else {
            shards.add(ShardRef.local(path));
        }
    }

    private void addImages(Path folder) throws IOException {
        List<FolderSlice> slices = FolderShards.list(folder).slices();
        if (slices.isEmpty()) {
            throw new FileNotFoundException(
                    "neither shards (.tar, .tar.gz, .tar.zst, .parquet) nor images in the folder "
                            + folder.toAbsolutePath() + ADVICE);
        }
        slices.forEach(slice -> shards.add(ShardRef.of(slice)));
    }

    private void addFolder(URI folder) throws IOException {
        List<URI> found = storage.list(folder).stream()
                .filter(uri -> SHARD_NAME.matcher(uri.getPath()).matches())
                .sorted()
                .toList();
        if (found.isEmpty()) {
            throw new FileNotFoundException(
                    "no .tar, .tar.gz, .tar.zst or .parquet shard under " + Storage.shown(folder) + ADVICE);
        }
        found.forEach(uri -> shards.add(ShardRef.of(uri)));
    }

    private static boolean isList(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith(".json") || lower.endsWith(".txt");
    }

    private void addList(URI uri, Path file, int depth) throws IOException {
        if (depth == MAX_LISTS) {
            throw new IllegalArgumentException(
                    Storage.shown(uri) + " is a list in a list in a list; does one of them name itself?");
        }
        if (uri.getPath().toLowerCase(Locale.ROOT).endsWith(".txt")) {
            for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
                String name = line.strip();
                if (!name.isEmpty() && !name.startsWith("#")) {
                    addPattern(name, Optional.of(uri), depth + 1);
                }
            }
            return;
        }
        for (Manifest.Shard shard :
                Manifest.parse(Files.readAllBytes(file), Storage.shown(uri)).shards()) {
            int first = shards.size();
            addPattern(shard.name(), Optional.of(uri), MAX_LISTS);
            if (shards.size() != first + 1) {
                throw new IllegalArgumentException(
                        Storage.shown(uri) + " names " + shard.name() + ", which is not one shard");
            }
            shards.set(first, shards.get(first).described(shard.samples(), shard.bytes(), shard.sha256()));
        }
    }

    private Path fetched(URI uri) throws IOException {
        Path part = Files.createTempFile(directory, "list", CacheSpace.PART);
        part.toFile().deleteOnExit();
        ObjectInfo info = storage.stat(uri);
        storage.fetch(info, part);
        return part;
    }

    private static List<Path> shardsIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isRegularFile)
                    .filter(file ->
                            SHARD_NAME.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .toList();
        }
    }

    /** @throws FileNotFoundException one line, if a file of this machine is not there */
    static void requireFiles(List<ShardRef> shards) throws FileNotFoundException {
        List<Path> missing = shards.stream()
                .filter(shard -> shard.slice().isEmpty())
                .flatMap(shard -> shard.file().stream())
                .filter(file -> !Files.isRegularFile(file))
                .toList();
        if (!missing.isEmpty()) {
            throw new FileNotFoundException("no shard at " + missing.get(0).toAbsolutePath()
                    + (missing.size() > 1 ? " (" + missing.size() + " of " + shards.size() + " files are missing)" : "")
                    + ADVICE);
        }
    }

    /** A name in a list is a path as it is, not an escaped one. */
    private static URI relative(URI base, String name) {
        try {
            return base.resolve(new URI(null, null, name.startsWith("/") ? name : "./" + name, null));
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(
                    "'" + name + "' in " + Storage.shown(base) + " is no path (" + e.getReason() + ")", e);
        }
    }
}
