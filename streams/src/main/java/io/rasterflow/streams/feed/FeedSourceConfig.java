package io.rasterflow.streams.feed;

/**
 * A live feed as the source of the training images, {@code data.feed} of the configuration.
 *
 * @param directory buffer of the feed, which {@code rasterflow feed} fills; empty to train on shards
 * @param silenceMillis how long to wait while nothing arrives
 */
public record FeedSourceConfig(String directory, long silenceMillis) {

    public FeedSourceConfig {
        if (silenceMillis < 1) {
            throw new IllegalArgumentException("data.feed.silenceMillis must be at least 1 but is " + silenceMillis);
        }
    }

    /** Whether there is a feed to train on. */
    public boolean used() {
        return !directory.isEmpty();
    }
}
