package io.rasterflow.streams.decode;

/** Bytes that are no readable image. The message is one line; the stack trace is left out because such samples are data, not bugs. */
public final class DecodeException extends Exception {

    private static final long serialVersionUID = 1L;

    public DecodeException(String message) {
        super(message, null, false, false);
    }
}
