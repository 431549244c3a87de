package io.rasterflow.actors.plan;

/**
 * A training step of a simulated cluster, mean of several; seconds. {@code slowestSeconds + exposedSeconds +
 * updateSeconds} make a step.
 *
 * @param ranks world size W
 * @param microBatches M
 * @param stepSeconds from one update to the next
 * @param computeSeconds forward and backward passes of a rank on average
 * @param slowestSeconds those of the slowest rank
 * @param exposedSeconds exchange that no computation hides, with the copies between device and host
 * @param updateSeconds optimizer
 * @param bytesPerRank that a rank sends in a step
 * @param cardBytesPerHost that a host's network card sends in a step
 * @param everyMessage whether every message was simulated, or sweeps and waves of them
 */
public record StepTimes(
        int ranks,
        int microBatches,
        double stepSeconds,
        double computeSeconds,
        double slowestSeconds,
        double exposedSeconds,
        double updateSeconds,
        double bytesPerRank,
        double cardBytesPerHost,
        boolean everyMessage) {

    /** A step while fewer ranks share the micro-batches; the exchange is taken to last as long. */
    double withRanks(int left) {
        double more = Math.ceil((double) microBatches / left) / Math.ceil((double) microBatches / ranks);
        return stepSeconds + slowestSeconds * (more - 1);
    }
}
