package io.rasterflow.actors.exchange;

/** What was found out about a process. */
public enum Liveness {
    /** It answered. */
    ALIVE,
    /** Nobody listens at its address any more, or another process does. */
    GONE,
    /** No answer: it hangs, its host is down or the network is cut. */
    SILENT
}
