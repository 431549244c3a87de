package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.science.ProbeCost;
import io.rasterflow.monitoring.science.ProbePoint;
import java.util.List;
import java.util.Map;

/**
 * What a run came to. Values that were not measured are NaN.
 *
 * @param run its name
 * @param outcome {@code completed}, {@code stopped}, {@code failed}, or {@code training} when no end was seen
 * @param steps last step
 * @param trainLossFirst mean training loss of the first up to 10 steps
 * @param trainLossLast mean training loss of the last up to 50 steps (in a run of fewer than 60 steps the two overlap)
 * @param validationLossFirst the first validation
 * @param validationLossLast the last validation
 * @param weights which weights validations and probes took: {@code model}, or {@code ema} for their moving average
 * @param probes by step, those that the run is judged by, see {@link ProbePoint#main}
 * @param sets top-1 fraction of the last probe of each of several sets, by name; empty without several
 * @param probeUntrained top-1 fraction of the probe at step 0
 * @param probe top-1 fraction of the last probe after step 0
 * @param beside the same of the probes of other kinds that were made beside these, by kind
 * @param probeCost what the probes took from training
 * @param correlation Pearson's r of (validation loss, probe accuracy) over {@code probes}, step 0 included
 *     when its validation loss was measured
 * @param spearman Spearman's rho of the same
 * @param correlationPoints number of those probes; below 3 the correlation is NaN
 * @param imagesPerSecond training throughput of the whole world: images of all steps by the summed wall clock of rank 0's
 *     steps. Pauses between steps (validation, checkpoints) are not counted
 * @param worldSize ranks at the end
 * @param shares fractions of the step time of all ranks; they sum to 1
 * @param badSamples bad samples that were replaced
 */
public record RunSummary(
        String run,
        String outcome,
        long steps,
        double trainLossFirst,
        double trainLossLast,
        double validationLossFirst,
        double validationLossLast,
        String weights,
        List<ProbePoint> probes,
        Map<String, Double> sets,
        double probeUntrained,
        double probe,
        Map<String, Gain> beside,
        ProbeCost probeCost,
        double correlation,
        double spearman,
        int correlationPoints,
        double imagesPerSecond,
        int worldSize,
        Ledger shares,
        long badSamples) {

    /**
     * How far an accuracy has come.
     *
     * @param untrained top-1 fraction at step 0
     * @param trained that of the last probe after it
     */
    public record Gain(double untrained, double trained) {
        static Gain of(List<ProbePoint> probes) {
            double untrained = Double.NaN;
            double trained = Double.NaN;
            for (ProbePoint probe : probes) {
                if (probe.step() == 0) {
                    untrained = probe.accuracy();
                } else {
                    trained = probe.accuracy();
                }
            }
            return new Gain(untrained, trained);
        }
    }
}
