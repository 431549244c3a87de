package io.rasterflow.streams.feed;

/** Why an image is not taken, as one line for its sender. Such images are data, not bugs: there is no stack trace. */
final class Refusal extends Exception {

    private static final long serialVersionUID = 1L;

    /** What the sender had better do. */
    enum Kind {
        /** Nothing: what it sends is wrong. */
        INVALID(400),
        /** Choose another identifier: this one stands for another image. */
        CONFLICT(409),
        /** Send a smaller image. */
        TOO_LARGE(413),
        /** Send it again later: there is no room. */
        FULL(503);

        private final int status;

        Kind(int status) {
            this.status = status;
        }

        int status() {
            return status;
        }
    }

    private final Kind kind;

    Refusal(Kind kind, String message) {
        super(message, null, false, false);
        this.kind = kind;
    }

    Kind kind() {
        return kind;
    }
}
