package io.rasterflow.actors.plan;

/**
 * What the coordinator has to do.
 *
 * @param steadyPerSecond messages per second while the run goes on
 * @param busyFraction of its time that they take; above 1 it cannot keep up
 * @param reformSeconds from the first report of a loss until all that are left have connected in the next generation
 * @param reformMessages received and sent meanwhile, announcements included
 * @param peakPerSecond messages per second in the busiest tenth of a second
 */
public record CoordinatorLoad(
        double steadyPerSecond, double busyFraction, double reformSeconds, long reformMessages, double peakPerSecond) {}
