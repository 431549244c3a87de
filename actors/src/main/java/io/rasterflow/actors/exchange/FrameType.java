package io.rasterflow.actors.exchange;

/** What a frame carries; see {@link FrameHeader}. The code on the wire is the ordinal. */
public enum FrameType {
    /** Connector introduces itself: {@link Hello}. */
    HELLO,
    /** Acceptor's nonce, 32 bytes. */
    CHALLENGE,
    /** Connector's HMAC-SHA256, 32 bytes. */
    PROOF,
    /** Acceptor's HMAC-SHA256, 32 bytes: the link is up. */
    WELCOME,
    /** Acceptor will not have the connector: UTF-8 reason. */
    REFUSE,
    /** A chunk of a partial sum of a bucket for the receiver's slice; index is the slot. */
    PARTIAL,
    /** A chunk of the sender's finished slice of a bucket; index is the sender's rank. */
    REDUCED,
    /** {@link Scalars} of the sender's micro-batches; index is the first of them. */
    SCALARS,
    /** The sender leaves the generation: UTF-8 reason; index is the rank to blame. */
    ABORT;

    private static final FrameType[] CODES = values();

    static FrameType of(int code) {
        if (code < 0 || code >= CODES.length) {
            throw new ExchangeException("corrupt frame: type " + code + " is unknown");
        }
        return CODES[code];
    }
}
