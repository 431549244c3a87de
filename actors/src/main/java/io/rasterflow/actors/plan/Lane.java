package io.rasterflow.actors.plan;

/** Something that serves one after another: one direction of a network card, a host's memory, a thread. */
final class Lane {

    private double free;

    /**
     * Takes the lane as soon as it is free.
     *
     * @param from earliest start
     * @param seconds of service
     * @return when the service begins; it ends {@code seconds} later
     */
    double reserve(double from, double seconds) {
        double start = Math.max(free, from);
        free = start + seconds;
        return start;
    }
}
