package io.rasterflow.streams.feed;

import java.io.IOException;

/** A sample that the buffer no longer keeps. */
public final class DeletedSampleException extends IOException {

    private static final long serialVersionUID = 1L;

    private final long oldestShard;

    DeletedSampleException(long sequence, long oldestShard, int shardSamples) {
        super("sample " + sequence
                + " of the feed was deleted to keep it within its limit; the oldest that is kept is sample "
                + oldestShard * shardSamples + ", the first of shard " + oldestShard
                + "; start from there, or give the feed more --max-bytes");
        this.oldestShard = oldestShard;
    }

    /** The oldest shard that is kept. */
    public long oldestShard() {
        return oldestShard;
    }
}
