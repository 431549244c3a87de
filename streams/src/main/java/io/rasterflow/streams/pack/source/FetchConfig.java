package io.rasterflow.streams.pack.source;

/**
 * How images are downloaded.
 *
 * @param connections downloads at a time
 * @param perHost of these to one host
 * @param maxBytes largest image
 * @param timeoutMillis for one attempt, redirects and body included
 * @param retries further attempts after one that failed for a reason that may pass
 * @param backoffMillis before the first further attempt; doubles from one to the next, and varies by half
 * @param ignoreRobotsTag whether images are taken that their server marks with {@code X-Robots-Tag: noai} and the like
 */
public record FetchConfig(
        int connections,
        int perHost,
        long maxBytes,
        long timeoutMillis,
        int retries,
        long backoffMillis,
        boolean ignoreRobotsTag) {

    public FetchConfig {
        require(connections >= 1 && connections <= 1024, "--connections", connections, "between 1 and 1024");
        require(perHost >= 1, "--per-host", perHost, "at least 1");
        require(maxBytes >= 1 && maxBytes <= 1 << 30, "--max-bytes", maxBytes, "between 1 and 1 GiB");
        require(timeoutMillis >= 1, "--timeout", timeoutMillis, "positive");
        require(retries >= 0 && retries <= 100, "--retries", retries, "between 0 and 100");
        require(backoffMillis >= 1, "backoffMillis", backoffMillis, "positive");
    }

    private static void require(boolean condition, String name, long value, String needed) {
        if (!condition) {
            throw new IllegalArgumentException(name + " must be " + needed + " but is " + value);
        }
    }

    /** 32 connections, 8 to a host; images of up to 16 MiB; 30 s; two retries from half a second on. */
    public static FetchConfig defaults() {
        return new FetchConfig(32, 8, 16 << 20, 30_000, 2, 500, false);
    }
}
