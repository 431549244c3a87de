package io.rasterflow.actors.exchange;

/** What a direct question to a process came to. */
public enum Liveness {
    /** That very process has answered and proved that it knows the secret. */
    ALIVE,
    /** Nobody listens there, or somebody else does. */
    GONE,
    /** Nothing came in time: it may be stopped, busy or cut off. */
    SILENT
}
