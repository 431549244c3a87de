package io.rasterflow.streams.storage;

import java.io.IOException;
import java.net.URI;
import java.util.concurrent.ThreadLocalRandom;

/** Decides, for one call, whether a failure is followed by another try, and waits before it. */
final class Attempts {

    private final StorageConfig config;
    private final Lifetime lifetime;
    private final Counters counters;
    private final URI uri;
    private int inARow;
    private boolean damaged;

    Attempts(StorageConfig config, Lifetime lifetime, Counters counters, URI uri) {
        this.config = config;
        this.lifetime = lifetime;
        this.counters = counters;
        this.uri = uri;
    }

    /** Something new has arrived: the failures before it do not count any more. */
    void progressed() {
        inARow = 0;
    }

    /**
     * Returns when it is time for another try.
     *
     * @throws StorageException the failure, if there is nothing more to try
     */
    void failed(StorageException failure) throws IOException {
        inARow++;
        boolean again =
                switch (failure.kind()) {
                    case TEMPORARY -> true;
                    case DAMAGED -> !damaged;
                    case MISSING, DENIED, CHANGED, OTHER -> false;
                };
        damaged |= failure.kind() == StorageException.Kind.DAMAGED;
        if (!again || inARow >= config.attempts()) {
            counters.failures.increment();
            throw failure.afterAttempts(inARow);
        }
        lifetime.sleep(waitMillis(failure) * 1_000_000, uri);
        counters.retries.increment();
    }

    /** Full jitter: many clients that failed together do not come back together. */
    private long waitMillis(StorageException failure) {
        double bound = Math.min(config.maxBackoffMillis(), config.backoffMillis() * Math.pow(2, inARow - 1));
        long jitter = ThreadLocalRandom.current().nextLong((long) bound + 1);
        return Math.max(jitter, Math.min(failure.retryAfterMillis(), config.maxBackoffMillis()));
    }
}
