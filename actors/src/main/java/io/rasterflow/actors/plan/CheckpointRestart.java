package io.rasterflow.actors.plan;

/**
 * The usual way: all ranks wait until their collective operation gives up, then everything starts again from the last
 * checkpoint. It is given a host that stands by, so that it never runs with fewer, and checkpoints that cost no time.
 */
final class CheckpointRestart implements Recovery {

    private final Reliability.Restart restart;
    private double runsFrom;
    private double progress;

    CheckpointRestart(Reliability.Restart restart) {
        this.restart = restart;
    }

    @Override
    public boolean spareStandsBy() {
        return true;
    }

    @Override
    public void lost(double now, boolean silent, int hostsLeft) {
        double reached = progress(now);
        progress = Math.floor(reached / restart.checkpointSeconds()) * restart.checkpointSeconds();
        runsFrom = now + restart.timeoutSeconds() + restart.restartSeconds();
    }

    @Override
    public void returned(double now, int hosts) {
        throw new IllegalStateException("no host returns where another has taken its place");
    }

    @Override
    public double progress(double now) {
        return progress + Math.max(0, now - runsFrom);
    }
}
