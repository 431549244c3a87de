package io.rasterflow.actors.exchange;

/** The all-reduce of a step could not be completed; says which peer and why in one line. */
public final class ExchangeException extends RuntimeException {

    private static final long serialVersionUID = 1;

    public ExchangeException(String message) {
        super(message);
    }

    public ExchangeException(String message, Throwable cause) {
        super(message, cause);
    }
}
