package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.science.Correlation;
import io.rasterflow.monitoring.science.LayerCurve;
import io.rasterflow.monitoring.science.LossForecast;
import io.rasterflow.monitoring.science.Prediction;
import io.rasterflow.monitoring.science.ProbeCost;
import io.rasterflow.monitoring.science.ProbePoint;
import java.util.List;

/**
 * A run at one moment. Values that are not known yet are NaN; times are milliseconds since 1970.
 *
 * @param state {@code waiting} (no event yet), {@code training}, {@code paused} by a user, then the outcome: {@code
 *     completed}, {@code stopped}, {@code failed}
 * @param detail what the outcome says about itself
 * @param lastMillis when something last went on
 * @param step last step that rank 0 has finished
 * @param steps step at which the run will end
 * @param loss training loss of the last step
 * @param trainLossFirst see {@link RunSummary}
 * @param trainLossLast see {@link RunSummary}
 * @param probes by step, those of all kinds and sets
 * @param layers accuracy over the layers, the first and the newest of each kind of probe that is made on several
 * @param probeCost what the probes take from training
 * @param correlation of the validation loss with the accuracy that the run is judged by, see {@link ProbePoint#main}
 * @param accuracyExpected what a probe would show at the last validation loss, by {@link Correlation#line()}
 * @param sets correlation and accuracies for each of several labelled sets; empty without several
 * @param forecast of the losses at the end of the schedule
 * @param accuracyAtEnd what a probe would show at the validation loss of {@code forecast}
 * @param noiseScale gradient-noise scale in images, as of the last step
 * @param imagesPerSecond of the whole world, moving average over about ten steps
 * @param imagesPerSecondAverage see {@link RunSummary#imagesPerSecond()}
 * @param secondsLeft by the wall clock of the last steps, pauses for validation and checkpoints included
 * @param stepsDone steps seen, those repeated after a failure included (never falls)
 * @param imagesDone images of those steps
 * @param rankHours hours that ranks have been held for the run, over all of them and all starts, pauses included
 * @param cost of them by the configured price; NaN where there is none
 * @param ranks where the time of each rank went
 * @param slowRanks ranks that hold the others up now, the slowest first
 * @param alarms that are raised and not cleared, the oldest first; those of the end stay
 * @param pastAlarms the last of those that are over, the newest first
 * @param disks the last word of each node on its disk
 * @param usages the last word of each node on processor and memory; none of those that went down
 * @param inputs the last word of each node on its input pipeline
 * @param caches the last word of each node on its cache of shards; none of those that went down
 * @param curated what was left out of each source; empty where nothing is
 * @param badSamples bad samples that were replaced
 * @param quarantine the last of them, the newest first
 * @param thumbnails names of their pictures, in the same order; empty text where there is none
 * @param imagesStep step of the last pictures of predictions; -1 without any
 * @param missing what of the run is not known here, and why; empty where all is
 */
public record RunStatus(
        String run,
        String state,
        String detail,
        long startedMillis,
        long lastMillis,
        long firstStep,
        long step,
        long steps,
        double epoch,
        int globalBatch,
        long parameters,
        long trainImages,
        String precision,
        double loss,
        double trainLossFirst,
        double trainLossLast,
        double validationLossFirst,
        double validationLossLast,
        double gradientNorm,
        double noiseScale,
        double learningRate,
        List<ProbePoint> probes,
        List<LayerCurve> layers,
        ProbeCost probeCost,
        Correlation correlation,
        Prediction accuracyExpected,
        List<SetFinding> sets,
        LossForecast forecast,
        Prediction accuracyAtEnd,
        double imagesPerSecond,
        double imagesPerSecondAverage,
        double secondsLeft,
        long stepsDone,
        long imagesDone,
        double rankHours,
        double cost,
        List<RankTime> ranks,
        List<SlowRank> slowRanks,
        List<Event.Alarm> alarms,
        List<PastAlarm> pastAlarms,
        List<NodeStatus> nodes,
        List<Event.Disk> disks,
        List<Event.Usage> usages,
        List<Event.Input> inputs,
        List<Event.Cache> caches,
        List<Event.Curated> curated,
        long badSamples,
        List<Event.BadSample> quarantine,
        List<String> thumbnails,
        long checkpoints,
        long generation,
        int worldSize,
        long imagesStep,
        String missing)
        implements MonitorMessage {

    public RunStatus {
        // Pages of older programs foretell nothing, and know neither what nodes take and keep, nor what probes take,
        // nor
        // what layers are worth.
        layers = layers == null ? List.of() : layers;
        probeCost = probeCost == null ? ProbeCost.NONE : probeCost;
        usages = usages == null ? List.of() : usages;
        curated = curated == null ? List.of() : curated;
        thumbnails = thumbnails == null ? List.of() : thumbnails;
        caches = caches == null ? List.of() : caches;
        missing = missing == null ? "" : missing;
        forecast = forecast == null ? LossForecast.none("not known here") : forecast;
        accuracyAtEnd = accuracyAtEnd == null ? Prediction.NONE : accuracyAtEnd;
    }

    /**
     * What a labelled set says of the loss.
     *
     * @param set its name, or {@link ProbePoint#AVERAGE}
     * @param correlation of the validation loss with its accuracy
     * @param accuracyExpected of its probe, as above
     * @param accuracyAtEnd likewise
     */
    public record SetFinding(
            String set, Correlation correlation, Prediction accuracyExpected, Prediction accuracyAtEnd) {}

    /**
     * Where one rank's time went.
     *
     * @param steps steps of this rank that were seen
     * @param total seconds over all of them
     * @param recent seconds of a step, moving average over about ten steps
     * @param slowdown its own time per micro-batch over that of the others, as {@link SlowRanks} says; NaN while unknown
     * @param active whether the rank belongs to the present world
     */
    public record RankTime(
            int rank, String node, long steps, Ledger total, Ledger recent, double slowdown, boolean active) {}

    /**
     * One node.
     *
     * @param rank its rank, or -1
     * @param roles what it was seen to do, such as {@code trainer, coordinator}
     * @param state {@code up} or {@code down}
     * @param imagesPerSecond its share of the global batch by its own clock; NaN when it does not train
     */
    public record NodeStatus(
            String node,
            int rank,
            String roles,
            String state,
            double imagesPerSecond,
            long step,
            long lastSeenMillis) {}

    /**
     * An alarm that is over.
     *
     * @param text what was seen when it was raised
     * @param over why it no longer stands
     */
    public record PastAlarm(
            String alarm,
            String subject,
            long raisedMillis,
            long raisedStep,
            String text,
            long overMillis,
            long overStep,
            String over) {}

    /** The probes that the run is judged by, as {@code correlation} says; by step. */
    public List<ProbePoint> mainProbes() {
        return ProbePoint.main(probes)
                .map(main -> probes.stream()
                        .filter(probe -> probe.series().equals(main))
                        .toList())
                .orElse(List.of());
    }

    /** Whether the run has ended, well or not. */
    public boolean ended() {
        return !state.equals(RunState.WAITING) && !state.equals(RunState.TRAINING) && !paused();
    }

    /** Whether a user has paused it. */
    public boolean paused() {
        return state.equals(RunState.PAUSED);
    }
}
