package io.rasterflow.actors.plan;

/**
 * What the coordinator has to do.
 *
 * @param messagesPerSecond while the run goes on undisturbed
 * @param bytesPerSecond of them
 * @param busyFraction of its time that they take; above 1 it cannot keep up
 * @param reformSeconds from a host's loss until all that are left train in the next generation; infinite where the
 *     coordinator does not get that far in half a minute
 * @param joinSeconds from the first rank that stops when the host is back until all train again, without the transfer of
 *     the state; infinite likewise
 * @param reformMessages received and sent from the loss until then
 * @param peakPerSecond messages per second in the busiest tenth of a second
 */
public record CoordinatorLoad(
        double messagesPerSecond,
        double bytesPerSecond,
        double busyFraction,
        double reformSeconds,
        double joinSeconds,
        long reformMessages,
        double peakPerSecond) {

    /** Whether a lost host is got over. */
    public boolean keepsUp() {
        return busyFraction < 1 && Double.isFinite(reformSeconds) && Double.isFinite(joinSeconds);
    }
}
