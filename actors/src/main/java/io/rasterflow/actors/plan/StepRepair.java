package io.rasterflow.actors.plan;

/**
 * This project's way: those that are left re-form and redo the step that broke; they go on with fewer ranks until the host
 * is back, which enters at a step boundary and takes the state from a peer while the others wait. Only when the last host
 * goes, the last checkpoint counts.
 */
final class StepRepair implements Recovery {

    private final Cluster cluster;
    private final StepTimes times;
    private final Reliability reliability;
    private final CoordinatorLoad coordinator;
    private final double joinSeconds;
    private int hosts;
    private double runsFrom;
    private double progress;

    /** @param stateBytes that each rank of a host is sent when it joins */
    StepRepair(
            Cluster cluster, StepTimes times, Reliability reliability, CoordinatorLoad coordinator, double stateBytes) {
        this.cluster = cluster;
        this.times = times;
        this.reliability = reliability;
        this.coordinator = coordinator;
        this.joinSeconds = coordinator.joinSeconds() + transferSeconds(cluster, stateBytes);
        this.hosts = cluster.hosts();
    }

    /** All ranks of a host fetch at the same time. */
    static double transferSeconds(Cluster cluster, double stateBytes) {
        return Math.max(
                cluster.local() * stateBytes / cluster.link().nicBytesPerSecond(),
                stateBytes / cluster.link().rankBytesPerSecond());
    }

    @Override
    public boolean spareStandsBy() {
        return false;
    }

    @Override
    public void lost(double now, boolean silent, int hostsLeft) {
        progress += wholeSteps(now) * times.stepSeconds();
        hosts = hostsLeft;
        if (hostsLeft == 0) {
            double interval = reliability.restart().checkpointSeconds();
            progress = Math.floor(progress / interval) * interval;
            runsFrom = Double.POSITIVE_INFINITY;
        } else {
            runsFrom = Math.max(runsFrom, now + reliability.silentSeconds(silent) + coordinator.reformSeconds());
        }
    }

    @Override
    public void returned(double now, int there) {
        double steps = Math.ceil(Math.max(0, now - runsFrom) / step());
        boolean alone = hosts == 0;
        progress += alone ? 0 : steps * times.stepSeconds();
        double boundary = Math.max(now, runsFrom + steps * step());
        runsFrom = alone ? now + reliability.restart().restartSeconds() : boundary + joinSeconds;
        hosts = there;
    }

    @Override
    public double progress(double now) {
        return progress + wholeSteps(now) * times.stepSeconds();
    }

    private double wholeSteps(double now) {
        return hosts == 0 ? 0 : Math.floor(Math.max(0, now - runsFrom) / step());
    }

    private double step() {
        return hosts == 0 ? times.stepSeconds() : times.withRanks(hosts * cluster.local());
    }
}
