package io.rasterflow.streams.shard;

import io.rasterflow.streams.format.FolderSlice;
import io.rasterflow.streams.storage.Storage;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where a shard lies, and what its manifest says of it.
 *
 * @param name as messages show it: the path or URI without credentials
 * @param uri absolute, {@code file:} for a local one
 * @param samples in it, -1 if that has to be counted
 * @param bytes of the file, -1 if that has to be asked for
 * @param sha256 of the file in hexadecimal, empty if not known
 * @param slice the files, if the shard is a part of an image folder
 */
public record ShardRef(String name, URI uri, int samples, long bytes, String sha256, Optional<FolderSlice> slice) {

    private static final int UNKNOWN = -1;

    /** A shard file of this machine. */
    static ShardRef local(Path file) {
        return new ShardRef(
                file.toString(), file.toAbsolutePath().normalize().toUri(), UNKNOWN, UNKNOWN, "", Optional.empty());
    }

    /** A shard elsewhere, or a file of this machine, of which nothing else is known. */
    static ShardRef of(URI uri) {
        if (isLocal(uri)) {
            return local(Path.of(uri));
        }
        return new ShardRef(Storage.shown(uri), uri, UNKNOWN, UNKNOWN, "", Optional.empty());
    }

    /** A part of an image folder. */
    static ShardRef of(FolderSlice slice) {
        String name = slice.root() + " (part " + slice.number() + ")";
        return new ShardRef(name, slice.root().toUri(), UNKNOWN, UNKNOWN, "", Optional.of(slice));
    }

    /** The same shard as a manifest describes it. */
    ShardRef described(int samples, long bytes, String sha256) {
        return new ShardRef(name, uri, samples, bytes, sha256, slice);
    }

    /** The same shard, of which the counts are to be found out. */
    ShardRef uncounted() {
        return described(UNKNOWN, bytes, sha256);
    }

    /** The file, if it lies on this machine. */
    public Optional<Path> file() {
        return isLocal(uri) ? Optional.of(Path.of(name)) : Optional.empty();
    }

    private static boolean isLocal(URI uri) {
        return "file".equals(uri.getScheme());
    }

    /** The same for the same shard, whatever it was called: links are followed. */
    public URI identity() throws IOException {
        return file().isPresent() ? file().get().toRealPath().toUri() : uri;
    }
}
