package io.rasterflow.cli;

import io.rasterflow.actors.membership.Pace;
import io.rasterflow.actors.plan.Cluster;
import io.rasterflow.actors.plan.Plan;
import io.rasterflow.actors.plan.Reliability;
import io.rasterflow.actors.plan.Workload;
import io.rasterflow.config.ConfigException;
import io.rasterflow.config.RunConfig;
import io.rasterflow.scaling.ScalingStudy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The options of {@code plan}, and the records of {@code actors.plan} that they make. */
final class PlanOptions {

    /** What a value travels as. */
    enum Wire {
        FP32(4),
        BF16(2);

        private final int bytes;

        Wire(int bytes) {
            this.bytes = bytes;
        }
    }

    // ---- The job

    @Option(names = "--preset", defaultValue = "aim-600m", description = "Preset or HOCON file (${DEFAULT-VALUE}).")
    String preset;

    @Parameters(arity = "0..*", paramLabel = "key=value", description = "Overrides, such as model.trunk.dim=512.")
    List<String> overrides = new ArrayList<>();

    @Option(names = "--batch", description = "Global batch in images; default: the preset's.")
    Integer batch;

    @Option(names = "--micro-batches", description = "That it is cut into; default: the preset's.")
    Integer microBatches;

    @Option(names = "--images", description = "Images of the whole run; default: the preset's steps x batch.")
    Double images;

    @Option(names = "--wire", defaultValue = "fp32", description = "Gradients on the wire: fp32 or bf16.")
    Wire wire;

    @Option(
            names = "--ring-from",
            defaultValue = "64",
            description = "World size of the first ring (${DEFAULT-VALUE}).")
    int ringFrom;

    // ---- The machines

    @Option(names = "--ranks", description = "World size; without it a page for 8, 64, 512 and 4096 ranks is made.")
    Integer ranks;

    @Option(names = "--ranks-per-host", defaultValue = "8", description = "Accelerators of a host (${DEFAULT-VALUE}).")
    int ranksPerHost;

    @Option(
            names = "--flops",
            defaultValue = "989e12",
            description = "FLOP/s of an accelerator at its peak (${DEFAULT-VALUE}).")
    double flops;

    @Option(
            names = "--mfu",
            defaultValue = "0.4",
            description = "Share of it that training reaches (${DEFAULT-VALUE}).")
    double mfu;

    @Option(
            names = "--jitter",
            defaultValue = "0.02",
            description = "Spread of a micro-batch's time, log-normal (${DEFAULT-VALUE}).")
    double jitter;

    @Option(names = "--slow-fraction", defaultValue = "0.001", description = "Share of slow ranks (${DEFAULT-VALUE}).")
    double slowFraction;

    @Option(names = "--slow-factor", defaultValue = "1.1", description = "How slow they are (${DEFAULT-VALUE}).")
    double slowFactor;

    @Option(
            names = "--device-gbytes",
            defaultValue = "25",
            description = "GB/s between accelerator and host; 0: the gradient is there already (${DEFAULT-VALUE}).")
    double deviceGbytes;

    @Option(
            names = "--update-gbytes",
            defaultValue = "1500",
            description = "GB/s of the optimizer over weights, moments and gradients (${DEFAULT-VALUE}).")
    double updateGbytes;

    @Option(
            names = "--nic-gbit",
            defaultValue = "400",
            description = "Gbit/s of a host's network card, each way, for all of its ranks (${DEFAULT-VALUE}).")
    double nicGbit;

    @Option(
            names = "--latency-us",
            defaultValue = "20",
            description = "Between hosts, microseconds (${DEFAULT-VALUE}).")
    double latencyMicros;

    @Option(
            names = "--memory-gbytes",
            defaultValue = "100",
            description = "GB/s at which a host takes in what its ranks receive (${DEFAULT-VALUE}).")
    double memoryGbytes;

    @Option(
            names = "--rank-gbytes",
            defaultValue = "4",
            description = "GB/s at which a rank's thread copies, checks and adds, each way (${DEFAULT-VALUE}).")
    double rankGbytes;

    @Option(
            names = "--frame-us",
            defaultValue = "10",
            description = "Of such a thread for a frame of up to 256 KiB, microseconds (${DEFAULT-VALUE}).")
    double frameMicros;

    // ---- Failures

    @Option(
            names = "--mtbf-hours",
            defaultValue = "6000",
            description = "Hours between the failures of one host; Llama 3's hosts of 8 GPUs: about 6,300"
                    + " (${DEFAULT-VALUE}).")
    double mtbfHours;

    @Option(
            names = "--silent-fraction",
            defaultValue = "0.1",
            description = "Share of failures that close no connection (${DEFAULT-VALUE}).")
    double silentFraction;

    @Option(names = "--replace-minutes", defaultValue = "10", description = "Until a host is back (${DEFAULT-VALUE}).")
    double replaceMinutes;

    @Option(
            names = "--notice-ms",
            defaultValue = "5",
            description = "Until a broken connection is noticed, milliseconds (${DEFAULT-VALUE}).")
    double noticeMillis;

    @Option(
            names = "--silence-s",
            defaultValue = "2.5",
            description = "Until a silent connection counts as broken, seconds (${DEFAULT-VALUE}).")
    double silenceSeconds;

    @Option(
            names = "--coordinator-rate",
            defaultValue = "20000",
            description = "Short messages per second that the coordinator handles (${DEFAULT-VALUE}).")
    double coordinatorRate;

    @Option(
            names = "--control-mbytes",
            defaultValue = "50",
            description = "MB/s of messages that it encodes and decodes (${DEFAULT-VALUE}).")
    double controlMbytes;

    @Option(
            names = "--message-bytes",
            defaultValue = "0",
            description = "Length of each of them; 0: what the protocol's have (${DEFAULT-VALUE}).")
    int messageBytes;

    @Option(
            names = "--connect-us",
            defaultValue = "500",
            description = "Of a rank for each peer it connects to, microseconds (${DEFAULT-VALUE}).")
    double connectMicros;

    @Option(
            names = "--announce-s",
            defaultValue = "" + Pace.ANNOUNCE_MILLIS / 1000.0,
            description = "Between announcements, s (${DEFAULT-VALUE}).")
    double announceSeconds;

    @Option(
            names = "--checkpoint-minutes",
            defaultValue = "30",
            description = "The usual way: minutes of training between checkpoints (${DEFAULT-VALUE}).")
    double checkpointMinutes;

    @Option(
            names = "--timeout-s",
            defaultValue = "600",
            description = "The usual way: time-out of a collective operation (${DEFAULT-VALUE}).")
    double timeoutSeconds;

    @Option(
            names = "--restart-s",
            defaultValue = "300",
            description = "The usual way: from the time-out to the first step (${DEFAULT-VALUE}).")
    double restartSeconds;

    @Option(names = "--price", description = "Of a host for an hour, in any currency.")
    Double price;

    // ---- How much is simulated

    @Option(
            names = "--images-per-rank",
            defaultValue = "64",
            description = "The page's second study (${DEFAULT-VALUE}).")
    int imagesPerRank;

    @Option(names = "--steps", defaultValue = "3", description = "Simulated steps (${DEFAULT-VALUE}).")
    int steps;

    @Option(names = "--failures", defaultValue = "2000", description = "Simulated failures (${DEFAULT-VALUE}).")
    int failures;

    @Option(names = "--seed", defaultValue = "0", description = "Of all chance (${DEFAULT-VALUE}).")
    long seed;

    RunConfig config() {
        return RunConfig.load(preset, overrides).config();
    }

    /** Turns what a record refuses into wrong usage. */
    static <T> T checked(Supplier<T> records) {
        try {
            return records.get();
        } catch (IllegalArgumentException e) {
            throw new ConfigException(e.getMessage(), e);
        }
    }

    int wireBytes() {
        return wire.bytes;
    }

    Workload workload(RunConfig config) {
        return Workload.of(
                config.model(),
                batch == null ? config.train().batch() : batch,
                microBatches == null ? config.train().microBatches() : microBatches,
                wireBytes());
    }

    Cluster cluster(int world) {
        Cluster.Rank rank = new Cluster.Rank(
                flops,
                mfu,
                jitter,
                slowFraction,
                slowFactor,
                deviceGbytes == 0 ? Double.POSITIVE_INFINITY : deviceGbytes * 1e9,
                updateGbytes * 1e9);
        Cluster.Link link = new Cluster.Link(
                nicGbit * 1e9 / 8, latencyMicros * 1e-6, memoryGbytes * 1e9, rankGbytes * 1e9, frameMicros * 1e-6);
        return new Cluster(world, ranksPerHost, rank, link);
    }

    Reliability reliability() {
        return new Reliability(
                mtbfHours,
                silentFraction,
                60 * replaceMinutes,
                new Reliability.Repair(
                        noticeMillis * 1e-3,
                        silenceSeconds,
                        coordinatorRate,
                        controlMbytes * 1e6,
                        messageBytes,
                        connectMicros * 1e-6,
                        announceSeconds),
                new Reliability.Restart(60 * checkpointMinutes, timeoutSeconds, restartSeconds));
    }

    Plan.Effort effort() {
        return new Plan.Effort(ringFrom, steps, failures, seed);
    }

    /** Images of the whole run. */
    double images(RunConfig config) {
        double asked = images == null
                ? (double) config.train().steps() * config.train().batch()
                : images;
        if (!(asked > 0) || Double.isInfinite(asked)) {
            throw new ConfigException("--images must be above 0 but is " + asked);
        }
        if (price != null && !(price >= 0 && Double.isFinite(price))) {
            throw new ConfigException("--price must not be negative but is " + price);
        }
        return asked;
    }

    ScalingStudy study(RunConfig config) {
        return new ScalingStudy(
                config.name(), config.model(), workload(config), imagesPerRank, this::cluster, reliability(), effort());
    }
}
