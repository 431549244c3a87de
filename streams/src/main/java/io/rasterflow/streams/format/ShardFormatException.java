package io.rasterflow.streams.format;

import java.io.IOException;

/** A shard or an IDX file that does not hold what its format promises. The message is one line. */
public final class ShardFormatException extends IOException {

    private static final long serialVersionUID = 1L;

    private final String file;
    private final long offset;
    private final String fault;
    private final String advice;

    /**
     * @param file the file as it was named to us
     * @param offset byte offset of the fault, in the uncompressed file
     * @param fault what is wrong there
     * @param advice what to try
     */
    public ShardFormatException(String file, long offset, String fault, String advice) {
        super(file + " at byte " + offset + ": " + fault + "; " + advice);
        this.file = file;
        this.offset = offset;
        this.fault = fault;
        this.advice = advice;
    }

    public String file() {
        return file;
    }

    public long offset() {
        return offset;
    }

    public String fault() {
        return fault;
    }

    public String advice() {
        return advice;
    }
}
