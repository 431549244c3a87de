package io.rasterflow.monitoring.alarm;

import io.rasterflow.monitoring.event.Event;

/**
 * Watches for one kind of trouble from one start of the run to the next. It decides by how things are, not by how they
 * change, so that one whose history was read from journals goes on where another left off. Not thread-safe.
 */
interface Detector {

    /** A rank has done a step after the warm-up. Each comes once: what is done again after a failure is left out. */
    default void step(Event.Step step, Board board) {}

    /**
     * Anything has happened, steps included.
     *
     * @param nowMillis by the monitor's clock
     */
    default void event(Event event, long nowMillis, Board board) {}

    /** So many seconds have passed since the last tick, by no clock that could be set. */
    default void tick(double seconds, Board board) {}
}
