package io.rasterflow.streams.storage;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One object on its way into one part file: transfers, one after the other, until all bytes are there. */
final class Download {

    /** So much that is new makes up for the failures before; less would let a server drip without end. */
    private static final long PROGRESS_BYTES = 1 << 20;

    private final StorageConfig config;
    private final Lifetime lifetime;
    private final RateLimit rate;
    private final Counters counters;
    private final ObjectStore store;
    private final URI uri;
    private ObjectInfo object;
    private long furthest;

    Download(
            StorageConfig config,
            Lifetime lifetime,
            RateLimit rate,
            Counters counters,
            ObjectStore store,
            ObjectInfo object) {
        this.config = config;
        this.lifetime = lifetime;
        this.rate = rate;
        this.counters = counters;
        this.store = store;
        this.uri = object.uri();
        this.object = object;
    }

    void into(Path part) throws IOException {
        try (PartFile file = PartFile.open(part, object)) {
            furthest = file.position();
            Attempts attempts = new Attempts(config, lifetime, counters, uri);
            while (true) {
                try {
                    if (!file.isComplete()) {
                        transfer(file, attempts);
                    }
                    file.finish();
                    return;
                } catch (StorageException e) {
                    tryAgainAfter(e, file, attempts);
                }
            }
        }
    }

    private void tryAgainAfter(StorageException failure, PartFile file, Attempts attempts) throws IOException {
        boolean useless = failure.kind() == StorageException.Kind.CHANGED
                || failure.kind() == StorageException.Kind.DAMAGED
                || object.version().isEmpty();
        try {
            attempts.failed(failure);
        } catch (IOException e) {
            if (useless) {
                file.delete();
            }
            throw e;
        }
        if (useless) {
            file.restart(object);
        }
    }

    private void transfer(PartFile file, Attempts attempts) throws IOException {
        long deadline = System.nanoTime() + config.requestMillis() * 1_000_000;
        Transfer transfer = begin(file.position());
        Runnable cancel = transfer::cancel;
        try {
            lifetime.enter(cancel, uri);
            accept(transfer.part(), file);
            for (List<ByteBuffer> bytes = next(transfer); !bytes.isEmpty(); bytes = next(transfer)) {
                for (ByteBuffer buffer : bytes) {
                    write(buffer, file, attempts);
                }
                if (System.nanoTime() - deadline > 0) {
                    throw StorageException.temporary(
                            uri,
                            arrived(file) + " within " + config.requestMillis() + " ms (data.storage.requestMillis)");
                }
            }
            if (object.bytes() >= 0 && !file.isComplete()) {
                throw StorageException.temporary(uri, "the response ended early: " + arrived(file));
            }
        } finally {
            transfer.cancel();
            lifetime.leave(cancel);
        }
    }

    /** Sends the request, and once more if it brings nothing in time; returns the one that has begun. */
    private Transfer begin(long from) throws IOException {
        counters.requests.increment();
        Transfer first = Transfer.start(store, object, from);
        Transfer second = null;
        Transfer winner = null;
        try {
            long wait = config.stallMillis();
            CompletableFuture<Transfer> begun = first.begun();
            if (config.hedgeMillis() > 0 && !endsWithin(begun, config.hedgeMillis())) {
                counters.requests.increment();
                counters.hedges.increment();
                wait -= config.hedgeMillis();
                second = Transfer.start(store, object, from);
                begun = Transfer.firstOf(first, second);
            }
            winner = lifetime.await(begun, wait, uri, store);
            return winner;
        } finally {
            if (winner != first) {
                first.cancel();
            }
            if (second != null && winner != second) {
                second.cancel();
            }
        }
    }

    private boolean endsWithin(CompletableFuture<Transfer> begun, long millis) throws IOException {
        CompletableFuture<Boolean> ended = begun.handle((transfer, failure) -> true);
        return lifetime.await(
                ended.completeOnTimeout(false, millis, TimeUnit.MILLISECONDS), config.stallMillis(), uri, store);
    }

    private List<ByteBuffer> next(Transfer transfer) throws IOException {
        try {
            return transfer.next(config.stallMillis());
        } catch (TimeoutException e) {
            throw StorageException.temporary(
                    uri, "no byte for " + config.stallMillis() + " ms (data.storage.stallMillis)");
        } catch (Transfer.TransferFailure e) {
            throw lifetime.explain(store, uri, e.getCause());
        } catch (InterruptedException e) {
            throw Lifetime.interrupted(uri);
        }
    }

    /** Holds what a response says of itself against what was asked for and what is known. */
    private void accept(ObjectPart part, PartFile file) throws IOException {
        if (!object.version().isEmpty()
                && !part.version().isEmpty()
                && !part.version().equals(object.version())) {
            throw changed(uri, "version " + object.version() + " is now " + part.version());
        }
        if (object.bytes() >= 0 && part.total() >= 0 && part.total() != object.bytes()) {
            throw object.version().isEmpty()
                    ? changed(uri, "it had " + object.bytes() + " bytes and now has " + part.total())
                    : StorageException.temporary(
                            uri, "the server announces " + part.total() + " bytes for an object of " + object.bytes());
        }
        if (part.from() != 0 && part.from() != file.position()) {
            throw StorageException.temporary(
                    uri,
                    "the response begins at byte " + part.from() + " but byte " + file.position() + " was asked for");
        }
        ObjectInfo known = new ObjectInfo(
                uri,
                Math.max(object.bytes(), part.total()),
                object.version().isEmpty() ? part.version() : object.version(),
                object.checksum());
        if (part.from() != file.position()) {
            file.restart(known); // the server sends all of it again
        } else {
            file.expect(known);
        }
        object = known;
    }

    private void write(ByteBuffer bytes, PartFile file, Attempts attempts) throws IOException {
        int length = bytes.remaining();
        if (object.bytes() >= 0 && file.position() + length > object.bytes()) {
            throw new StorageException(
                    StorageException.Kind.DAMAGED,
                    uri,
                    "the response brings more than the " + object.bytes() + " bytes of the object",
                    "the server or a proxy is broken; check it");
        }
        rate.take(length, uri);
        file.write(bytes);
        counters.bytes.add(length);
        if (file.position() >= furthest + PROGRESS_BYTES) {
            furthest = file.position();
            attempts.progressed();
        }
    }

    static StorageException changed(URI uri, String how) {
        return new StorageException(
                StorageException.Kind.CHANGED,
                uri,
                "it was replaced while in use: " + how,
                "restore it, or start again with the new one");
    }

    private String arrived(PartFile file) {
        return file.position() + " of " + (object.bytes() < 0 ? "an unknown number of" : object.bytes())
                + " bytes arrived";
    }
}
