package io.rasterflow.streams.storage;

import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** One protocol. Each call is one try; repeating, resuming, hedging and verifying is the caller's business. */
interface ObjectStore extends AutoCloseable {

    /** Looks at an object. */
    ObjectInfo stat(URI uri) throws IOException;

    /**
     * Objects that lie directly in a folder.
     *
     * @param after {@link Page#next} of the page before; empty for the first
     */
    Page list(URI folder, String after) throws IOException;

    /**
     * Asks for an object from a byte on, if it is still of the version that {@code object} names. The response may begin at
     * byte 0 nevertheless. Cancelling the result ends the request.
     */
    CompletableFuture<ObjectPart> open(ObjectInfo object, long from);

    /** What a failure of {@link #open} or of a body means. */
    StorageException explain(URI uri, Throwable failure);

    @Override
    void close();

    /**
     * Some objects of a folder.
     *
     * @param next asks for the next page; empty on the last
     */
    record Page(List<URI> objects, String next) {}
}
