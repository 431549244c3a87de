package io.rasterflow.streams.feed;

import java.io.IOException;

/** A sample whose bytes on disk are not those that arrived; the samples around it can still be read. */
public final class DamagedSampleException extends IOException {

    private static final long serialVersionUID = 1L;

    private final long sequence;

    DamagedSampleException(long sequence, String fault) {
        super("sample " + sequence + " of the feed is damaged: " + fault + "; check the disk");
        this.sequence = sequence;
    }

    /** Number of the sample. */
    public long sequence() {
        return sequence;
    }
}
