package io.rasterflow.streams.feed;

import java.io.IOException;
import java.time.Duration;

/** Nothing has arrived for longer than the reader was ready to wait. */
public final class FeedSilentException extends IOException {

    private static final long serialVersionUID = 1L;

    FeedSilentException(long shard, long arrived, int shardSamples, Duration silence) {
        super("the feed has been silent for " + silence.toMillis() / 1000.0 + " s while shard " + shard
                + " is awaited: " + arrived + " of its " + shardSamples
                + " images have arrived; check the receiver and its senders");
    }
}
