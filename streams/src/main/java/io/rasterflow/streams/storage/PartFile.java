package io.rasterflow.streams.storage;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The bytes of an object as far as they have arrived, and their checksum. Which version they are of stands beside them until
 * they are complete, so that a later process goes on only with what belongs together:
 *
 * <pre>
 * PART      the first bytes of the object
 * PART.of   "rasterflow part 1\n" location "\n" version "\n", UTF-8; the location without user and query
 * </pre>
 */
final class PartFile implements AutoCloseable {

    private static final int CHUNK = 1 << 18;

    private final Path path;
    private final Path stamp;
    private final FileChannel channel;
    private ObjectInfo object;
    private Digest digest;
    private long position;

    private PartFile(Path path, ObjectInfo object, FileChannel channel) {
        this.path = path;
        this.stamp = path.resolveSibling(path.getFileName() + ".of");
        this.object = object;
        this.channel = channel;
    }

    /** Goes on with a part of the same version, or begins anew. */
    static PartFile open(Path path, ObjectInfo object) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(
                    path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw StorageException.unwritable(path, e);
        }
        PartFile file = new PartFile(path, object, channel);
        try {
            long present = channel.size();
            if (present > 0 && (object.bytes() < 0 || present <= object.bytes()) && file.isStamped()) {
                file.resume(present);
            } else {
                file.restart(object);
            }
            return file;
        } catch (IOException e) {
            channel.close();
            throw file.failure(e);
        }
    }

    long position() {
        return position;
    }

    boolean isComplete() {
        return position == object.bytes();
    }

    /** Throws away what is there. */
    void restart(ObjectInfo newObject) throws IOException {
        try {
            object = newObject;
            position = 0;
            digest = newDigest();
            if (channel.size() > 0) {
                channel.truncate(0);
            }
            if (object.version().isEmpty()) {
                Files.deleteIfExists(stamp);
            } else {
                Files.writeString(stamp, stampText());
            }
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** More has become known of the object. */
    void expect(ObjectInfo known) throws IOException {
        if (position == 0 && !known.equals(object)) {
            restart(known);
        }
        object = known;
    }

    void write(ByteBuffer bytes) throws IOException {
        try {
            if (digest != null) {
                digest.update(bytes.duplicate());
            }
            while (bytes.hasRemaining()) {
                position += channel.write(bytes, position);
            }
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /**
     * Ends a part that has all its bytes: checks them, and makes them outlive a power failure.
     *
     * @throws StorageException DAMAGED, if the checksum is another one
     */
    void finish() throws IOException {
        if (digest != null) {
            Checksum expected = object.checksum().orElseThrow();
            Checksum actual = digest.finish();
            if (!actual.equals(expected)) {
                throw new StorageException(
                        StorageException.Kind.DAMAGED,
                        object.uri(),
                        "its checksum is " + actual + " instead of " + expected,
                        "the object is damaged or was replaced; upload it again or correct the manifest");
            }
        }
        try {
            channel.force(true);
            Files.deleteIfExists(stamp);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** Leaves nothing behind. */
    void delete() throws IOException {
        Files.deleteIfExists(path);
        Files.deleteIfExists(stamp);
    }

    private void resume(long present) throws IOException {
        digest = newDigest();
        if (digest == null) {
            position = present;
            return;
        }
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
        while (position < present && channel.read(chunk.clear(), position) >= 0) {
            position += chunk.flip().remaining();
            digest.update(chunk);
        }
    }

    private Digest newDigest() {
        return object.checksum().map(sum -> Digest.of(sum.algorithm())).orElse(null);
    }

    private boolean isStamped() throws IOException {
        try {
            return !object.version().isEmpty() && Files.readString(stamp).equals(stampText());
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private String stampText() {
        URI uri = object.uri();
        return "rasterflow part 1\n" + Locations.clean(uri) + "\n" + object.version() + "\n";
    }

    private IOException failure(IOException e) {
        if (e instanceof ClosedByInterruptException) {
            return Lifetime.interrupted(object.uri());
        }
        return e instanceof StorageException ? e : StorageException.unwritable(path, e);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
