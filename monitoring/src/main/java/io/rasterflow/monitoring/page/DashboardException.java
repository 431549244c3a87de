package io.rasterflow.monitoring.page;

/** The page cannot be served; the message is one line for people. */
public final class DashboardException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DashboardException(String message, Throwable cause) {
        super(message, cause);
    }
}
