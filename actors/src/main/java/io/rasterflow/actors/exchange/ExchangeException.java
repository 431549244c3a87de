package io.rasterflow.actors.exchange;

import java.util.Optional;

/** The all-reduce of a step could not be completed; says which peer and why in one line. */
public final class ExchangeException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient DataAddress peer;

    public ExchangeException(String message) {
        this(message, (DataAddress) null);
    }

    public ExchangeException(String message, Throwable cause) {
        super(message, cause);
        this.peer = null;
    }

    ExchangeException(String message, DataAddress peer) {
        super(message);
        this.peer = peer;
    }

    /** Who was lost or misbehaved, where that is known; not necessarily the peer that told of it. */
    public Optional<DataAddress> peer() {
        return Optional.ofNullable(peer);
    }
}
