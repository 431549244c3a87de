package io.rasterflow.actors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** What to tell a person about a failure. */
public final class Failures {

    private static final String TORCH_REASON = "RuntimeError: ";

    private Failures() {}

    /** What concerns this machine alone costs the run one trainer; what would happen to every rank ends it. */
    public static boolean ofThisMachine(Throwable cause) {
        return cause instanceof IOException
                || cause instanceof UncheckedIOException
                || cause instanceof InterruptedException
                || cause instanceof OutOfMemoryError;
    }

    /** The message of the first cause that says something, in one line; the class name where none does. */
    public static String oneLine(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        String message = cause.getMessage();
        if (message == null || message.isBlank()) {
            return cause.getClass().getSimpleName();
        }
        // PyTorch tells first that and where a program failed, and only then why.
        return message.lines()
                .filter(line -> line.startsWith(TORCH_REASON))
                .findFirst()
                .or(() -> message.lines().findFirst())
                .orElse(message)
                .strip();
    }
}
