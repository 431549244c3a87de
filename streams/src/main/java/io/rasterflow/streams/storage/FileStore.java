package io.rasterflow.streams.storage;

import io.rasterflow.streams.storage.StorageException.Kind;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Files of this machine, and of network file systems. Reading happens on the thread that asks for the bytes. */
final class FileStore implements ObjectStore {

    private static final int CHUNK = 1 << 17;

    @Override
    public ObjectInfo stat(URI uri) throws IOException {
        try {
            return stat(uri, path(uri));
        } catch (IOException e) {
            throw explain(uri, e);
        }
    }

    private static ObjectInfo stat(URI uri, Path path) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        if (attributes.isDirectory()) {
            throw new StorageException(Kind.OTHER, uri, "it is a folder", "name a file, or list the folder");
        }
        String version = attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS) + "+" + attributes.size();
        return new ObjectInfo(uri, attributes.size(), version, Optional.empty());
    }

    @Override
    public Page list(URI folder, String after) throws IOException {
        try (Stream<Path> files = Files.list(path(folder))) {
            return new Page(
                    files.filter(Files::isRegularFile).sorted().map(Path::toUri).toList(), "");
        } catch (IOException e) {
            throw explain(folder, e);
        }
    }

    @Override
    public CompletableFuture<ObjectPart> open(ObjectInfo object, long from) {
        URI uri = object.uri();
        try {
            Path path = path(uri);
            ObjectInfo present = stat(uri, path);
            Flow.Publisher<List<ByteBuffer>> body = subscriber -> {
                FileBody subscription = new FileBody(path, present, from, subscriber);
                subscriber.onSubscribe(subscription);
            };
            return CompletableFuture.completedFuture(new ObjectPart(from, present.bytes(), present.version(), body));
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static Path path(URI uri) throws StorageException {
        try {
            return Path.of(uri);
        } catch (IllegalArgumentException e) {
            throw new StorageException(Kind.OTHER, uri, "not a path of this machine", "write file:///path or a path");
        }
    }

    @Override
    public StorageException explain(URI uri, Throwable failure) {
        if (failure instanceof NoSuchFileException) {
            return new StorageException(Kind.MISSING, uri, "there is no such file", "check the path");
        }
        if (failure instanceof AccessDeniedException) {
            return new StorageException(Kind.DENIED, uri, "permission denied", "check the owner and mode of the file");
        }
        if (failure instanceof NotDirectoryException) {
            return new StorageException(Kind.OTHER, uri, "it is no folder", "name the folder that holds the shards");
        }
        return NetworkFailures.explain(uri, failure);
    }

    @Override
    public void close() {}

    /** A file as a publisher that reads when asked. */
    private static final class FileBody implements Flow.Subscription {
        private final Path path;
        private final ObjectInfo object;
        private final Flow.Subscriber<? super List<ByteBuffer>> subscriber;
        private FileChannel channel;
        private long position;
        private boolean ended;

        private FileBody(
                Path path, ObjectInfo object, long from, Flow.Subscriber<? super List<ByteBuffer>> subscriber) {
            this.path = path;
            this.object = object;
            this.position = from;
            this.subscriber = subscriber;
        }

        @Override
        public synchronized void request(long pieces) {
            try {
                for (long i = 0; i < pieces && !ended; i++) {
                    step();
                }
            } catch (IOException e) {
                cancel();
                subscriber.onError(e);
            }
        }

        private void step() throws IOException {
            if (channel == null) {
                channel = FileChannel.open(path, StandardOpenOption.READ);
            }
            ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
            int length = channel.read(chunk, position);
            if (length > 0) {
                position += length;
                subscriber.onNext(List.of(chunk.flip()));
                return;
            }
            String version = stat(object.uri(), path).version();
            if (!version.equals(object.version())) {
                throw Download.changed(
                        object.uri(), "its time and size were " + object.version() + " and are " + version);
            }
            cancel();
            subscriber.onComplete();
        }

        @Override
        public synchronized void cancel() {
            ended = true;
            if (channel != null) {
                try {
                    channel.close();
                } catch (IOException e) {
                    // Nothing was written; the descriptor is gone in any case.
                }
            }
        }
    }
}
