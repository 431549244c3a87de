package io.rasterflow.streams.storage;

import java.net.URI;
import java.net.URISyntaxException;

/**
 * How shards are fetched; the keys are {@code data.storage.*}. Nothing here changes what arrives, only how and when.
 *
 * @param attempts tries of one request in a row that bring nothing new, before a fetch fails
 * @param backoffMillis longest wait before the second try; it doubles with every further try, and each wait is drawn at
 *     random between nothing and that length (full jitter)
 * @param maxBackoffMillis bound of the wait, also where a server asks for more by {@code Retry-After}
 * @param stallMillis longest wait for a connection, for the begin of a response and for the next bytes of a body
 * @param requestMillis longest time of one request with its body; then it is broken off and resumed at its byte. From a server
 *     that cannot resume, a whole shard has to arrive within it
 * @param hedgeMillis a request that has brought no byte for so long is sent a second time, and the first to deliver wins; 0
 *     for never
 * @param bytesPerSecond of all fetches together; 0 for as fast as it goes
 * @param maxRedirects HTTP redirects that are followed for one request
 * @param s3 the S3 service
 */
public record StorageConfig(
        int attempts,
        long backoffMillis,
        long maxBackoffMillis,
        long stallMillis,
        long requestMillis,
        long hedgeMillis,
        long bytesPerSecond,
        int maxRedirects,
        S3 s3) {

    private static final long DAY_MILLIS = 24 * 3600 * 1000L;

    public StorageConfig {
        requireRange("attempts", attempts, 1, 100);
        requireRange("backoffMillis", backoffMillis, 0, DAY_MILLIS);
        requireRange("maxBackoffMillis", maxBackoffMillis, backoffMillis, DAY_MILLIS);
        requireRange("stallMillis", stallMillis, 1, DAY_MILLIS);
        requireRange("requestMillis", requestMillis, stallMillis, DAY_MILLIS);
        requireRange("hedgeMillis", hedgeMillis, 0, DAY_MILLIS);
        require(
                hedgeMillis < stallMillis,
                "data.storage.hedgeMillis must be below stallMillis (" + stallMillis + ") but is " + hedgeMillis
                        + "; a request is given up after stallMillis, so no second one would follow");
        requireRange("bytesPerSecond", bytesPerSecond, 0, Long.MAX_VALUE);
        requireRange("maxRedirects", maxRedirects, 0, 100);
    }

    /**
     * The S3 service. Credentials come from the default chain of the AWS SDK (environment, profile, container or instance
     * role), which also renews them.
     *
     * @param endpoint URL of a service other than AWS's, such as {@code http://localhost:9000}; empty for AWS
     * @param region of the bucket; empty for the default chain's, or {@code us-east-1}
     * @param pathStyle whether the bucket stands in the path instead of the host name; most services other than AWS want it
     */
    public record S3(String endpoint, String region, boolean pathStyle) {

        public S3 {
            require(
                    endpoint.isEmpty() || isServiceUrl(endpoint),
                    "data.storage.s3.endpoint must be a URL such as http://localhost:9000, without user and password, "
                            + "but is '" + Locations.clean(endpoint) + "'");
            require(
                    region.matches("[a-z0-9-]*"),
                    "data.storage.s3.region must be a name such as eu-central-1 but is '" + region + "'");
        }

        private static boolean isServiceUrl(String text) {
            try {
                URI uri = new URI(text);
                return ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
                        && uri.getHost() != null
                        && uri.getUserInfo() == null
                        && uri.getQuery() == null;
            } catch (URISyntaxException e) {
                return false;
            }
        }
    }

    /** Six tries within about half a minute, half a minute until a stall, no hedging, no limit of the rate, AWS's S3. */
    public static StorageConfig defaults() {
        return new StorageConfig(6, 500, 20_000, 30_000, 1_800_000, 0, 0, 5, new S3("", "", false));
    }

    private static void requireRange(String key, long value, long min, long max) {
        require(
                value >= min && value <= max,
                "data.storage." + key + " must be "
                        + (max == Long.MAX_VALUE ? "at least " + min : "between " + min + " and " + max) + " but is "
                        + value);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
