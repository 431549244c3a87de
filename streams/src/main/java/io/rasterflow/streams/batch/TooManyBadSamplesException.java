package io.rasterflow.streams.batch;

import java.io.IOException;

/** The data is worse than the configuration allows. The message is one line. */
public final class TooManyBadSamplesException extends IOException {

    private static final long serialVersionUID = 1L;

    TooManyBadSamplesException(long bad, long seen, double limit, BadSample last) {
        super(bad + " of " + seen + " samples could not be decoded, more than data.maxBadFraction = " + limit
                + " allows; the last was " + last.key() + " at byte " + last.offset() + " of " + last.shard() + ": "
                + last.cause() + "; check the shards with `rasterflow data verify` or raise the limit");
    }

    TooManyBadSamplesException(int probes, BadSample bad) {
        super("no readable sample in " + probes + " tries for " + bad.key() + " at byte " + bad.offset() + " of "
                + bad.shard() + " (" + bad.cause() + "); check the shards with `rasterflow data verify`");
    }
}
