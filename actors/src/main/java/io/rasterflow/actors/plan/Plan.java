package io.rasterflow.actors.plan;

import io.rasterflow.actors.plan.StepSimulation.Detail;
import io.rasterflow.actors.plan.StepSimulation.Form;

/**
 * The answer for one cluster.
 *
 * @param form of the exchange that such a world size uses
 * @param direct step with the direct exchange
 * @param ring step with the ring
 * @param coordinator load, with connections of that form
 * @param repaired goodput where broken steps are repaired
 * @param restarted goodput where runs restart from a checkpoint after a time-out
 * @param restartedAtOnce the same where a failure is noticed at once
 */
public record Plan(
        Workload workload,
        Cluster cluster,
        Reliability reliability,
        Form form,
        StepTimes direct,
        StepTimes ring,
        CoordinatorLoad coordinator,
        Goodput repaired,
        Goodput restarted,
        Goodput restartedAtOnce) {

    private static final double SECONDS_PER_HOUR = 3600;

    /** The first failure ends the run. */
    private static final Goodput NEVER = new Goodput(0, 1, Double.POSITIVE_INFINITY);

    /**
     * How to simulate.
     *
     * @param ringFrom world size from which the exchange is a ring
     * @param steps that are simulated
     * @param failures that are simulated
     * @param seed of all chance
     */
    public record Effort(int ringFrom, int steps, int failures, long seed) {
        public Effort {
            Checks.require(ringFrom >= 1, "--ring-from must be at least 1 but is " + ringFrom);
            Checks.require(steps >= 1 && steps <= 1000, "--steps must be between 1 and 1000 but is " + steps);
            Checks.require(
                    failures >= 1 && failures <= 1_000_000,
                    "--failures must be between 1 and 1000000 but is " + failures);
        }
    }

    /** Simulates a cluster. */
    public static Plan of(Workload workload, Cluster cluster, Reliability reliability, Effort effort) {
        StepTimes direct = simulate(workload, cluster, Form.DIRECT, effort);
        StepTimes ring = simulate(workload, cluster, Form.RING, effort);
        Form form = cluster.ranks() >= effort.ringFrom() ? Form.RING : Form.DIRECT;
        CoordinatorLoad coordinator = CoordinatorSimulation.run(cluster, reliability.repair(), form, effort.seed());
        return new Plan(workload, cluster, reliability, form, direct, ring, coordinator, null, null, null)
                .failing(reliability, effort);
    }

    private static StepTimes simulate(Workload workload, Cluster cluster, Form form, Effort effort) {
        return StepSimulation.run(workload, cluster, form, Detail.AUTO, effort.seed(), effort.steps());
    }

    /** The same cluster with other work; the coordinator, which knows nothing of it, is not simulated again. */
    public Plan withWorkload(Workload other, Effort effort) {
        StepTimes otherDirect = simulate(other, cluster, Form.DIRECT, effort);
        StepTimes otherRing = simulate(other, cluster, Form.RING, effort);
        return new Plan(other, cluster, reliability, form, otherDirect, otherRing, coordinator, null, null, null)
                .failing(reliability, effort);
    }

    /** The same cluster with another rate of failures; steps are not simulated again. */
    public Plan withMtbf(double hours, Effort effort) {
        return failing(reliability.withMtbf(hours), effort);
    }

    private Plan failing(Reliability rate, Effort effort) {
        Recovery repair = new StepRepair(cluster, step(), rate, coordinator, workload.stateBytes());
        return new Plan(
                workload,
                cluster,
                rate,
                form,
                direct,
                ring,
                coordinator,
                canRepair() ? goodput(rate, repair, effort) : NEVER,
                goodput(rate, new CheckpointRestart(rate.restart()), effort),
                goodput(rate, new CheckpointRestart(rate.restart().withoutTimeout()), effort));
    }

    /** With one host there is nobody to repair a step, and with a coordinator that cannot keep up there is no end of it. */
    private boolean canRepair() {
        return cluster.hosts() == 1 || coordinator.keepsUp();
    }

    private Goodput goodput(Reliability rate, Recovery recovery, Effort effort) {
        return FailureSimulation.run(cluster.hosts(), rate, recovery, effort.seed(), effort.failures());
    }

    /** With the form of exchange that is used. */
    public StepTimes step() {
        return form == Form.RING ? ring : direct;
    }

    /** While nothing fails. */
    public double imagesPerSecond() {
        return workload.batch() / step().stepSeconds();
    }

    /** Of the accelerators' peak, with everything that is not computing. */
    public double utilisation() {
        return imagesPerSecond()
                * workload.flopsPerImage()
                / cluster.ranks()
                / cluster.rank().flops();
    }

    /** Hours for a number of images with the failures that come meanwhile. */
    public double hours(double images, Goodput goodput) {
        return images / imagesPerSecond() / goodput.fraction() / SECONDS_PER_HOUR;
    }

    /** Those of them that failures cost. */
    public double lostHours(double images, Goodput goodput) {
        return hours(images, goodput) - images / imagesPerSecond() / SECONDS_PER_HOUR;
    }

    /** Failures of the whole cluster in so many hours. */
    public double failures(double hours) {
        return hours * cluster.hosts() / reliability.mtbfHours();
    }

    /** From the loss of a host until the step is begun again. */
    public double repairSeconds(boolean silent) {
        return reliability.silentSeconds(silent) + coordinator.reformSeconds();
    }

    /** What the ranks of a host that joins take to fetch the state. */
    public double transferSeconds() {
        return StepRepair.transferSeconds(cluster, workload.stateBytes());
    }
}
