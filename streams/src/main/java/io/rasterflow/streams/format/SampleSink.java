package io.rasterflow.streams.format;

import java.io.IOException;

/** Receives what a scan of a shard comes by, in the order of the shard. */
public interface SampleSink {

    /** A whole sample. */
    void found(FoundSample sample) throws IOException;

    /**
     * Files that make no sample.
     *
     * @param cause few words, the same for all of a kind
     */
    void leftOut(String cause) throws IOException;

    /**
     * A sample with something wrong in it, in a shard that goes on well behind it.
     *
     * @param cause few words, the same for all of a kind
     */
    void broken(String cause, ShardFormatException fault) throws IOException;
}
