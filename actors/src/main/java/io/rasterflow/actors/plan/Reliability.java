package io.rasterflow.actors.plan;

/**
 * How hosts fail and how a run gets over it; seconds.
 *
 * @param mtbfHours mean time between the failures of one host
 * @param silentFraction share of failures that close no connection, such as a cut cable
 * @param replaceSeconds until a lost host, or another in its place, is back
 * @param repair of the same step, this project's way
 * @param restart from the last checkpoint, the usual way
 */
public record Reliability(
        double mtbfHours, double silentFraction, double replaceSeconds, Repair repair, Restart restart) {

    /** A question is put to a peer that does not answer for so long before it counts as lost. */
    private static final double CONFIRM_SECONDS = 1;

    /**
     * @param noticeSeconds until a broken connection has been noticed by all
     * @param silenceSeconds without a byte until a connection counts as broken
     * @param messagesPerSecond that the coordinator handles while they are short
     * @param controlBytesPerSecond that it encodes and decodes
     * @param messageBytes length of a message; 0: that of the protocol's own
     * @param connectSeconds of a rank for every peer that it connects to
     * @param announceSeconds between the announcements of a trainer
     */
    public record Repair(
            double noticeSeconds,
            double silenceSeconds,
            double messagesPerSecond,
            double controlBytesPerSecond,
            int messageBytes,
            double connectSeconds,
            double announceSeconds) {
        public Repair {
            Checks.notNegative("--notice-ms", noticeSeconds);
            Checks.notNegative("--silence-s", silenceSeconds);
            Checks.positive("--coordinator-rate", messagesPerSecond);
            Checks.positive("--control-mbytes", controlBytesPerSecond);
            Checks.notNegative("--message-bytes", messageBytes);
            Checks.notNegative("--connect-us", connectSeconds);
            Checks.positive("--announce-s", announceSeconds);
        }
    }

    /**
     * @param checkpointSeconds of training between checkpoints
     * @param timeoutSeconds until the collective operation gives up
     * @param restartSeconds from there to the first step: processes, weights, input, connections
     */
    public record Restart(double checkpointSeconds, double timeoutSeconds, double restartSeconds) {
        public Restart {
            Checks.positive("--checkpoint-minutes", checkpointSeconds);
            Checks.notNegative("--timeout-s", timeoutSeconds);
            Checks.notNegative("--restart-s", restartSeconds);
        }

        /** The same where a failure is noticed at once. */
        Restart withoutTimeout() {
            return new Restart(checkpointSeconds, 0, restartSeconds);
        }
    }

    public Reliability {
        Checks.positive("--mtbf-hours", mtbfHours);
        Checks.fraction("--silent-fraction", silentFraction);
        Checks.notNegative("--replace-minutes", replaceSeconds);
    }

    /** The same with another rate of failures. */
    public Reliability withMtbf(double hours) {
        return new Reliability(hours, silentFraction, replaceSeconds, repair, restart);
    }

    /** What a failure that breaks no connection adds to the time of a repair. */
    double silentSeconds(boolean silent) {
        return silent ? repair.silenceSeconds() + CONFIRM_SECONDS : 0;
    }
}
