package io.rasterflow.model.pickle;

/** A pickle that is not a plain state dict of tensors; the message is one line about "it", the pickle. */
final class PickleException extends Exception {
    private static final long serialVersionUID = 1L;

    PickleException(String message) {
        super(message);
    }
}
