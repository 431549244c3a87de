package io.rasterflow.streams.storage;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Every wait of a storage: each has a deadline, and ends at once when the storage is closed or its thread interrupted. */
final class Lifetime {

    private final CountDownLatch closed = new CountDownLatch(1);
    private final Set<Runnable> underWay = ConcurrentHashMap.newKeySet();

    /** Something that has to be cancelled when the storage is closed, until {@link #leave}. */
    void enter(Runnable cancel, URI uri) throws StorageException {
        underWay.add(cancel);
        if (isClosed()) {
            underWay.remove(cancel);
            throw StorageException.closed(uri);
        }
    }

    void leave(Runnable cancel) {
        underWay.remove(cancel);
    }

    void sleep(long nanos, URI uri) throws IOException {
        try {
            if (closed.await(nanos, TimeUnit.NANOSECONDS)) {
                throw StorageException.closed(uri);
            }
        } catch (InterruptedException e) {
            throw interrupted(uri);
        }
    }

    /** Waits for an answer; one that comes later than {@code millis} is cancelled. */
    <T> T await(CompletableFuture<T> answer, long millis, URI uri, ObjectStore store) throws IOException {
        Runnable cancel = () -> answer.cancel(true);
        try {
            enter(cancel, uri);
            return answer.get(millis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw StorageException.temporary(uri, "no answer within " + millis + " ms");
        } catch (InterruptedException e) {
            throw interrupted(uri);
        } catch (ExecutionException e) {
            throw explain(store, uri, e.getCause());
        } catch (CancellationException e) {
            throw StorageException.closed(uri);
        } finally {
            answer.cancel(true);
            leave(cancel);
        }
    }

    StorageException explain(ObjectStore store, URI uri, Throwable failure) {
        return isClosed() ? StorageException.closed(uri) : store.explain(uri, failure);
    }

    static InterruptedIOException interrupted(URI uri) {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted while reading " + Locations.clean(uri));
    }

    boolean isClosed() {
        return closed.getCount() == 0;
    }

    void close() {
        closed.countDown();
        underWay.forEach(Runnable::run);
    }
}
