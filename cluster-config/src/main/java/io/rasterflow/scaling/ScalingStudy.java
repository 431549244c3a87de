package io.rasterflow.scaling;

import io.rasterflow.actors.plan.Cluster;
import io.rasterflow.actors.plan.Goodput;
import io.rasterflow.actors.plan.Plan;
import io.rasterflow.actors.plan.Plan.Effort;
import io.rasterflow.actors.plan.Reliability;
import io.rasterflow.actors.plan.Workload;
import io.rasterflow.model.aim.AimConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * One model on clusters of several sizes, twice: the same batch for all, and the same number of images for every rank.
 *
 * @param name of the model
 * @param model its shape
 * @param fixed the batch that all sizes share; its micro-batches, but at least one for each rank
 * @param imagesPerRank of the second study
 * @param clusters by world size
 * @param reliability how hosts fail
 * @param effort how much is simulated
 */
public record ScalingStudy(
        String name,
        AimConfig model,
        Workload fixed,
        int imagesPerRank,
        IntFunction<Cluster> clusters,
        Reliability reliability,
        Effort effort) {

    /** World sizes that are compared. */
    public static final List<Integer> WORLDS = List.of(8, 64, 512, 4096);

    /** Hours between failures of a host that are compared. */
    static final List<Double> MTBF_HOURS = List.of(100.0, 300.0, 1000.0, 3000.0, 10_000.0, 30_000.0, 100_000.0);

    private static final int LARGEST = WORLDS.get(WORLDS.size() - 1);

    /**
     * Goodput of a cluster at one rate of failures.
     *
     * @param hours between failures of a host
     */
    public record Rate(int ranks, double hours, Goodput repaired, Goodput restarted, Goodput restartedAtOnce) {}

    /**
     * What came out.
     *
     * @param sameBatch plans by world size, of one batch
     * @param sameShare plans by world size, of a batch that grows with the world
     * @param rates goodput of those that have several hosts
     */
    public record Result(ScalingStudy study, List<Plan> sameBatch, List<Plan> sameShare, List<Rate> rates) {}

    public ScalingStudy {
        if (fixed.batch() < LARGEST) {
            throw new IllegalArgumentException("the page has " + LARGEST
                    + " ranks of at least one image each, but --batch is " + fixed.batch()
                    + "; raise it, or ask for one cluster with --ranks");
        }
        if (imagesPerRank < 1 || imagesPerRank > 100_000) {
            throw new IllegalArgumentException(
                    "--images-per-rank must be between 1 and 100000 but is " + imagesPerRank);
        }
    }

    /** Simulates all of it. */
    public Result run(Consumer<String> progress) {
        List<Plan> sameBatch = new ArrayList<>();
        List<Plan> sameShare = new ArrayList<>();
        List<Rate> rates = new ArrayList<>();
        for (int ranks : WORLDS) {
            Cluster cluster = clusters.apply(ranks);
            Plan batch = Plan.of(workload(fixed.batch(), ranks), cluster, reliability, effort);
            Plan share = batch.withWorkload(workload(imagesPerRank * ranks, ranks), effort);
            sameBatch.add(batch);
            sameShare.add(share);
            if (cluster.hosts() > 1) {
                MTBF_HOURS.forEach(hours -> rates.add(rate(share.withMtbf(hours, effort))));
            }
            progress.accept(String.format(
                    Locale.ROOT,
                    "%,d ranks: %.4g s a step of %,d images, %.4g s of %,d",
                    ranks,
                    batch.step().stepSeconds(),
                    batch.workload().batch(),
                    share.step().stepSeconds(),
                    share.workload().batch()));
        }
        return new Result(this, List.copyOf(sameBatch), List.copyOf(sameShare), List.copyOf(rates));
    }

    private static Rate rate(Plan plan) {
        return new Rate(
                plan.cluster().ranks(),
                plan.reliability().mtbfHours(),
                plan.repaired(),
                plan.restarted(),
                plan.restartedAtOnce());
    }

    /** Micro-batches of about the given size, at least one for each rank. */
    private Workload workload(int batch, int ranks) {
        int microBatches = (int) Math.round((double) batch * fixed.microBatches() / fixed.batch());
        return Workload.of(model, batch, Math.min(batch, Math.max(microBatches, ranks)), fixed.wireBytes());
    }
}
