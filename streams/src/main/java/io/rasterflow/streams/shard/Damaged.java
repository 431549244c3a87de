package io.rasterflow.streams.shard;

/** What becomes of a shard that is cut or damaged. */
public enum Damaged {
    /** Nothing of it is read, and the message says where it is damaged. */
    REFUSE,
    /** The samples before the damage are used. */
    QUARANTINE
}
