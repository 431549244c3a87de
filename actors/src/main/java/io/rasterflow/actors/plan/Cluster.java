package io.rasterflow.actors.plan;

/**
 * The machines. Ranks of one host are neighbours: host h has ranks h·ranksPerHost and on.
 *
 * @param ranks world size W
 * @param ranksPerHost accelerators of a host
 * @param rank what one rank computes
 * @param link what joins the hosts
 */
public record Cluster(int ranks, int ranksPerHost, Rank rank, Link link) {

    /** The data plane sends frames of so many bytes. */
    private static final double FRAME_BYTES = 1 << 18;

    /** Beyond, the sums of the aggregated simulation take minutes and gigabytes. */
    static final int MAX_RANKS = 16_384;

    /**
     * @param flops FLOP/s of one accelerator at its peak
     * @param utilisation share of the peak that training reaches (MFU)
     * @param jitter standard deviation of the logarithm of a micro-batch's time
     * @param slowFraction share of ranks that are slow all the time
     * @param slowFactor how many times as long they take
     * @param deviceBytesPerSecond between an accelerator and its host, each way; infinite for none
     * @param updateBytesPerSecond at which the optimizer goes through weights, moments and gradients
     */
    public record Rank(
            double flops,
            double utilisation,
            double jitter,
            double slowFraction,
            double slowFactor,
            double deviceBytesPerSecond,
            double updateBytesPerSecond) {
        public Rank {
            Checks.positive("--flops", flops);
            Checks.fraction("--mfu", utilisation);
            Checks.positive("--mfu", utilisation);
            Checks.notNegative("--jitter", jitter);
            Checks.require(jitter <= 2, "--jitter must be at most 2 but is " + jitter);
            Checks.fraction("--slow-fraction", slowFraction);
            Checks.require(
                    slowFactor >= 1 && Double.isFinite(slowFactor),
                    "--slow-factor must be at least 1 but is " + slowFactor);
            Checks.require(
                    deviceBytesPerSecond > 0, "--device-gbytes must be above 0 but is " + deviceBytesPerSecond / 1e9);
            Checks.positive("--update-gbytes", updateBytesPerSecond);
        }

        double reachedFlops() {
            return flops * utilisation;
        }
    }

    /**
     * @param nicBytesPerSecond of a host's network card, each way; all ranks of the host share it
     * @param latencySeconds from one host to another
     * @param memoryBytesPerSecond at which a host takes in what its ranks receive, from the card or from each other
     * @param rankBytesPerSecond at which a rank's thread copies, checks and adds, each way
     * @param frameSeconds of such a thread for every frame, whatever its length
     */
    public record Link(
            double nicBytesPerSecond,
            double latencySeconds,
            double memoryBytesPerSecond,
            double rankBytesPerSecond,
            double frameSeconds) {
        public Link {
            Checks.positive("--nic-gbit", nicBytesPerSecond);
            Checks.notNegative("--latency-us", latencySeconds);
            Checks.positive("--memory-gbytes", memoryBytesPerSecond);
            Checks.positive("--rank-gbytes", rankBytesPerSecond);
            Checks.notNegative("--frame-us", frameSeconds);
        }
    }

    public Cluster {
        Checks.require(
                ranks >= 1 && ranks <= MAX_RANKS, "--ranks must be between 1 and " + MAX_RANKS + " but is " + ranks);
        Checks.require(ranksPerHost >= 1, "--ranks-per-host must be at least 1 but is " + ranksPerHost);
        Checks.require(
                ranks <= ranksPerHost || ranks % ranksPerHost == 0,
                "--ranks (" + ranks + ") must be a multiple of --ranks-per-host (" + ranksPerHost + ")");
    }

    /** Ranks of each host that is there. */
    public int local() {
        return Math.min(ranks, ranksPerHost);
    }

    public int hosts() {
        return ranks / local();
    }

    int host(int ofRank) {
        return ofRank / local();
    }

    /** Frames of a message. */
    static double frames(double bytes) {
        return Math.max(1, Math.ceil(bytes / FRAME_BYTES));
    }

    /** A thread's time for a message, on either side. */
    double threadSeconds(double bytes) {
        return frames(bytes) * link.frameSeconds() + bytes / link.rankBytesPerSecond();
    }
}
