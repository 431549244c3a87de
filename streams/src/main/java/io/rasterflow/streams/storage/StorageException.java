package io.rasterflow.streams.storage;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;

/**
 * An object that could not be brought. The message is one line: what, where (without passwords and signatures), why, what to
 * try. There is no cause: what a library says of a request may quote its credentials, and its reason stands in the line.
 */
public final class StorageException extends IOException {

    private static final long serialVersionUID = 1L;

    /** What a caller can do about it. */
    public enum Kind {
        /** There is no such object. */
        MISSING,
        /** We may not read it: no, wrong or expired credentials. */
        DENIED,
        /** It was replaced since it was looked at. */
        CHANGED,
        /** What came is not what was announced: wrong checksum, too many bytes. */
        DAMAGED,
        /** Tried as often as was configured: network, a busy or broken server. */
        TEMPORARY,
        /** Another try would not help: configuration, certificates, redirects, the local disk. */
        OTHER
    }

    private final Kind kind;
    private final String fault;
    private final String advice;
    private final long retryAfterMillis;

    private StorageException(Kind kind, String fault, String advice, long retryAfterMillis) {
        super(fault + "; " + advice);
        this.kind = kind;
        this.fault = fault;
        this.advice = advice;
        this.retryAfterMillis = retryAfterMillis;
    }

    StorageException(Kind kind, URI uri, String why, String advice) {
        this(kind, "cannot read " + Locations.clean(uri) + ": " + Locations.clean(why), advice, 0);
    }

    static StorageException temporary(URI uri, String why) {
        return new StorageException(Kind.TEMPORARY, uri, why, "check the network and the server, or try again later");
    }

    static StorageException closed(URI uri) {
        return new StorageException(Kind.OTHER, uri, "the storage was closed", "open another one");
    }

    static StorageException unwritable(Path file, IOException cause) {
        String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        boolean full = reason.contains("No space left") || reason.contains("quota");
        return new StorageException(
                Kind.OTHER,
                "cannot write " + file + ": "
                        + (full ? reason : cause.getClass().getSimpleName() + " " + reason),
                full
                        ? "free some space or choose another cache folder"
                        : "check that the folder exists and may be written",
                0);
    }

    public Kind kind() {
        return kind;
    }

    /** How long the server asks to be left alone; 0 if it says nothing. */
    long retryAfterMillis() {
        return retryAfterMillis;
    }

    StorageException withRetryAfter(long millis) {
        return new StorageException(kind, fault, advice, millis);
    }

    StorageException afterAttempts(int attempts) {
        return attempts == 1
                ? this
                : new StorageException(kind, fault + " (" + attempts + " attempts)", advice, retryAfterMillis);
    }
}
