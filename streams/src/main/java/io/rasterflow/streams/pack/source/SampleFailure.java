package io.rasterflow.streams.pack.source;

/** One image that cannot be packed. The message is one line without credentials; there is no stack trace: this is data, not a bug. */
public final class SampleFailure extends Exception {

    private static final long serialVersionUID = 1L;

    private final boolean passing;
    private final long afterMillis;

    /** A failure that trying again at once does not change. */
    public SampleFailure(String cause) {
        this(cause, false, 0);
    }

    private SampleFailure(String cause, boolean passing, long afterMillis) {
        super(cause, null, false, false);
        this.passing = passing;
        this.afterMillis = afterMillis;
    }

    /**
     * A failure that may have passed when the image is asked for again.
     *
     * @param afterMillis not sooner than that, as the server wishes; 0 if it says nothing
     */
    static SampleFailure passing(String cause, long afterMillis) {
        return new SampleFailure(cause, true, afterMillis);
    }

    boolean isPassing() {
        return passing;
    }

    long afterMillis() {
        return afterMillis;
    }
}
