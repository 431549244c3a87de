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
    ABORT,
    /** Nothing but that the sender is there. */
    PING,
    /** Connector asks whether a process is there: {@link Visit}. */
    CONFIRM,
    /** Connector wants the state of a replica: {@link Visit}. */
    FETCH,
    /** Begins a state: its header; index is the number of blocks, step their bytes. */
    STATE_HEADER,
    /** Bytes of a state's block; index is the block, step the first byte. */
    STATE,
    /** The state is complete. */
    STATE_END,
    /** Where the sender's gradients lie: {@link SegmentHandshake}. */
    SEGMENT,
    /** Whether the sender can read the receiver's gradients there: nothing, or a UTF-8 reason why not. */
    MAPPED,
    /** A bucket of a partial sum can be read in shared memory; no payload; index is the slot, offset the gradient. */
    SHARED_PARTIAL,
    /** A chunk of the sender's finished slice can be read there; no payload; index is the gradient whose place the sum takes. */
    SHARED_REDUCED,
    /** Rank 0 has heard from everybody: whether its sum is the sum of all ranks, index 1, or each has its own, 0. */
    COMMON_SUM;

    private static final FrameType[] CODES = values();

    static FrameType of(int code) {
        if (code < 0 || code >= CODES.length) {
            throw new ExchangeException("corrupt frame: type " + code + " is unknown");
        }
        return CODES[code];
    }
}
