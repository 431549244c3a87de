package io.rasterflow.monitoring.event;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Something that happened in a run. Events are written to the node's journal first and told to the monitor second; on
 * both ways they are JSON or CBOR objects whose {@code type} names the record. Fields may be added, never renamed.
 * Times are milliseconds since 1970 by the node's clock.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = Event.RunStarted.class, name = "run-started"),
    @JsonSubTypes.Type(value = Event.Machine.class, name = "machine"),
    @JsonSubTypes.Type(value = Event.Step.class, name = "step"),
    @JsonSubTypes.Type(value = Event.Validation.class, name = "validation"),
    @JsonSubTypes.Type(value = Event.Probe.class, name = "probe"),
    @JsonSubTypes.Type(value = Event.Images.class, name = "images"),
    @JsonSubTypes.Type(value = Event.Histograms.class, name = "histograms"),
    @JsonSubTypes.Type(value = Event.Checkpoint.class, name = "checkpoint"),
    @JsonSubTypes.Type(value = Event.Membership.class, name = "membership"),
    @JsonSubTypes.Type(value = Event.Formed.class, name = "formed"),
    @JsonSubTypes.Type(value = Event.Lease.class, name = "lease"),
    @JsonSubTypes.Type(value = Event.Commit.class, name = "commit"),
    @JsonSubTypes.Type(value = Event.BadSample.class, name = "bad-sample"),
    @JsonSubTypes.Type(value = Event.Thumbnail.class, name = "thumbnail"),
    @JsonSubTypes.Type(value = Event.Curated.class, name = "curated"),
    @JsonSubTypes.Type(value = Event.Input.class, name = "input"),
    @JsonSubTypes.Type(value = Event.Cache.class, name = "cache"),
    @JsonSubTypes.Type(value = Event.Disk.class, name = "disk"),
    @JsonSubTypes.Type(value = Event.Usage.class, name = "usage"),
    @JsonSubTypes.Type(value = Event.Alarm.class, name = "alarm"),
    @JsonSubTypes.Type(value = Event.Action.class, name = "action"),
    @JsonSubTypes.Type(value = Event.RunEnded.class, name = "run-ended")
})
// The order of the kinds is that of the columns of an export; the compiler's own order depends on who else is compiled.
public sealed interface Event
        permits Event.RunStarted,
                Event.Machine,
                Event.Step,
                Event.Validation,
                Event.Probe,
                Event.Images,
                Event.Histograms,
                Event.Checkpoint,
                Event.Membership,
                Event.Formed,
                Event.Lease,
                Event.Commit,
                Event.BadSample,
                Event.Thumbnail,
                Event.Curated,
                Event.Input,
                Event.Cache,
                Event.Disk,
                Event.Usage,
                Event.Alarm,
                Event.Action,
                Event.RunEnded {

    long timeMillis();

    /** Name of the node that saw it, such as {@code trainer-1}. */
    String node();

    /**
     * @param firstStep step at which this (possibly resumed) run begins
     * @param steps step at which it will end
     * @param globalBatch images per step
     * @param parameters trainable values
     * @param trainImages images of one epoch
     * @param origin checkpoint of another run that it began from; empty when there is none or an older program wrote this
     * @param experiment what other runs must share for their losses to compare
     * @param rankHourPrice what a rank costs for an hour, its share of the price of its node; NaN where none is configured,
     *     which older programs never wrote
     * @param learningRates of the whole run, by its schedule
     */
    record RunStarted(
            long timeMillis,
            String node,
            String run,
            long firstStep,
            long steps,
            int globalBatch,
            long parameters,
            long trainImages,
            int worldSize,
            String precision,
            String origin,
            Experiment experiment,
            Double rankHourPrice,
            Rates learningRates)
            implements Event {
        public RunStarted {
            origin = origin == null ? "" : origin;
            experiment = experiment == null ? Experiment.UNKNOWN : experiment;
            rankHourPrice = rankHourPrice == null ? Double.NaN : rankHourPrice;
            learningRates = learningRates == null ? Rates.UNKNOWN : learningRates;
        }

        /** The same, of a run whose schedule is not known. */
        public RunStarted(
                long timeMillis,
                String node,
                String run,
                long firstStep,
                long steps,
                int globalBatch,
                long parameters,
                long trainImages,
                int worldSize,
                String precision,
                String origin,
                Experiment experiment,
                Double rankHourPrice) {
            this(
                    timeMillis,
                    node,
                    run,
                    firstStep,
                    steps,
                    globalBatch,
                    parameters,
                    trainImages,
                    worldSize,
                    precision,
                    origin,
                    experiment,
                    rankHourPrice,
                    Rates.UNKNOWN);
        }

        /**
         * Learning rates over steps, with straight lines between.
         *
         * @param steps that rise; empty where the rates are not known, as older programs wrote
         * @param rates at each
         */
        public record Rates(List<Long> steps, List<Double> rates) {
            /** What older programs wrote. */
            public static final Rates UNKNOWN = new Rates(List.of(), List.of());

            public Rates {
                steps = List.copyOf(steps);
                rates = List.copyOf(rates);
            }

            /** Whether there are any. */
            public boolean known() {
                return !steps.isEmpty() && steps.size() == rates.size();
            }

            /** The rate at a step, or at the nearest of those that are known. */
            public double at(double step) {
                int above = 0;
                while (above < steps.size() - 1 && steps.get(above) < step) {
                    above++;
                }
                int below = Math.max(0, above - 1);
                long from = steps.get(below);
                long to = steps.get(above);
                double share = to == from ? 1 : Math.max(0, Math.min(1, (step - from) / (to - from)));
                return rates.get(below) + share * (rates.get(above) - rates.get(below));
            }
        }

        /**
         * @param objective what the loss measures, in words
         * @param validation file names of the shards that it is measured on
         * @param flopsPerImage of training, by formula; NaN where it is not known
         */
        public record Experiment(String objective, String validation, double flopsPerImage) {
            /** What older programs wrote. */
            public static final Experiment UNKNOWN = new Experiment("", "", Double.NaN);
        }
    }

    /**
     * What a node runs on; once, when it joins a run.
     *
     * @param host its name; empty where the system does not tell it, as below
     * @param system operating system, version and architecture
     * @param java version of the virtual machine and who made it
     * @param processor its name
     * @param cores that the process may use
     * @param memoryBytes of the machine; 0 where it is not known
     */
    record Machine(
            long timeMillis,
            String node,
            String host,
            String system,
            String java,
            String processor,
            int cores,
            long memoryBytes)
            implements Event {}

    /**
     * One step of one rank. Loss, gradient norm and images are those of the global batch and equal on all ranks; the
     * ledger is this rank's own.
     *
     * @param epoch passes over the training images so far, fractional
     * @param images images of the global batch
     * @param noiseScale gradient-noise scale in images; NaN while it is not known, which older programs never wrote
     */
    record Step(
            long timeMillis,
            String node,
            int rank,
            int worldSize,
            long generation,
            long step,
            double epoch,
            double loss,
            double gradientNorm,
            double learningRate,
            int images,
            Ledger ledger,
            Double noiseScale)
            implements Event {
        // Boxed, because a record that lacks the field must not read as 0.
        public Step {
            noiseScale = noiseScale == null ? Double.NaN : noiseScale;
        }
    }

    /**
     * The validation of a checkpoint; a probe of the same step takes the same weights.
     *
     * @param weights {@link #MODEL}, or {@link #EMA} for their moving average; older programs knew only the former
     */
    record Validation(long timeMillis, String node, long step, double loss, int images, double seconds, String weights)
            implements Event {
        /** The weights of the last step. */
        public static final String MODEL = "model";
        /** The exponential moving average of the weights. */
        public static final String EMA = "ema";

        public Validation {
            weights = weights == null ? MODEL : weights;
        }
    }

    /**
     * @param kind {@code attentive}, {@code linear} or {@code knn}, followed by what a user asked for otherwise than the run
     *     does, such as {@code linear --layers 3-5}: accuracies of one kind can be compared
     * @param accuracy top-1 as a fraction
     * @param validationLoss loss of the same weights
     * @param set name of the labelled set; empty where it has none, which older programs never gave it
     * @param sets that the weights of this step are probed on, this one included
     * @param beside whether it was made beside the probes that the run is judged by, which are of another kind; older
     *     programs made none such
     * @param layers every set of blocks that was probed; none where an older program wrote this
     * @param cpuSeconds processor time of the thread that probed, without the decoding of images; NaN where it is not known,
     *     which older programs never wrote
     */
    record Probe(
            long timeMillis,
            String node,
            long step,
            String kind,
            double accuracy,
            double validationLoss,
            int trainImages,
            int validationImages,
            double seconds,
            String set,
            int sets,
            boolean beside,
            List<Layer> layers,
            Double cpuSeconds)
            implements Event {
        /** The node that says what a user has probed, during the run or long after it. */
        public static final String VERB = "probe-verb";

        public Probe {
            set = set == null ? "" : set;
            sets = Math.max(1, sets);
            layers = layers == null ? List.of() : List.copyOf(layers);
            cpuSeconds = cpuSeconds == null ? Double.NaN : cpuSeconds;
        }

        /** The same, of what older programs wrote. */
        public Probe(
                long timeMillis,
                String node,
                long step,
                String kind,
                double accuracy,
                double validationLoss,
                int trainImages,
                int validationImages,
                double seconds,
                String set,
                int sets) {
            this(
                    timeMillis,
                    node,
                    step,
                    kind,
                    accuracy,
                    validationLoss,
                    trainImages,
                    validationImages,
                    seconds,
                    set,
                    sets,
                    false,
                    List.of(),
                    Double.NaN);
        }

        /**
         * One of the sets of blocks on which a probe was tried.
         *
         * @param blocks counted from 0, such as {@code 3-5,7}
         * @param accuracy top-1 on the validation images, as a fraction
         * @param chosen whether it is the one that the accuracy of the probe is of: the best on held-out training images
         */
        public record Layer(String blocks, double accuracy, boolean chosen) {}

        /** Kind, set and which of several layers, such as {@code knn probe of curated (block 2, best of 4)}. */
        public String words() {
            String best = layers.size() < 2
                    ? ""
                    : layers.stream()
                            .filter(Layer::chosen)
                            .map(layer -> " (block " + layer.blocks() + ", best of " + layers.size() + ")")
                            .findFirst()
                            .orElse("");
            return kind + " probe" + (set.isEmpty() ? "" : " of " + set) + best;
        }
    }

    /**
     * Pictures of what the weights of a step predict of some validation images.
     *
     * @param count images
     * @param path of their directory, relative to the run directory
     */
    record Images(long timeMillis, String node, long step, int count, String path, double seconds) implements Event {}

    /** How the weights of a step, and whatever else was looked at, are distributed. */
    record Histograms(long timeMillis, String node, long step, List<Histogram> histograms, double seconds)
            implements Event {
        public Histograms {
            histograms = List.copyOf(histograms);
        }
    }

    record Checkpoint(
            long timeMillis, String node, long step, String directory, String weightsSha256, long bytes, double seconds)
            implements Event {}

    /** @param change {@code up}, {@code down}, {@code generation} */
    record Membership(
            long timeMillis, String node, String member, String change, long generation, int worldSize, String detail)
            implements Event {
        /** Whether a generation begins. */
        public boolean forms() {
            return change.equals("generation");
        }
    }

    /**
     * A rank begins a generation: a fixed set of ranks that compute together. What older generations committed before
     * {@code firstStep} stands; what they committed from it on is done again.
     *
     * @param microBatches of a step, over all ranks
     * @param firstMicroBatch first of this rank's run of them
     * @param endMicroBatch the one after its last
     * @param firstStep first step of the generation
     * @param digest of the history that the rank stands on, as in {@link Commit}; empty where there is none
     */
    record Formed(
            long timeMillis,
            String node,
            long generation,
            int rank,
            int worldSize,
            int microBatches,
            int firstMicroBatch,
            int endMicroBatch,
            long firstStep,
            String digest)
            implements Event {
        public Formed {
            digest = digest == null ? "" : digest;
        }
    }

    /** A rank begins the positions [firstPosition, firstPosition + images) of a micro-batch. */
    record Lease(
            long timeMillis,
            String node,
            int rank,
            long generation,
            long step,
            int microBatch,
            long firstPosition,
            int images)
            implements Event {}

    /**
     * A rank has applied the update of a step to which its micro-batches [from, to) belong.
     *
     * @param digest chained hash of the gradient sums that the rank has applied, in hexadecimal: equal on all ranks with
     *     the same history; empty when there is none or an older program wrote this
     */
    record Commit(
            long timeMillis,
            String node,
            int rank,
            long generation,
            long step,
            int fromMicroBatch,
            int toMicroBatch,
            String digest)
            implements Event {
        public Commit {
            digest = digest == null ? "" : digest;
        }
    }

    /**
     * A sample that was quarantined: it could not be used and another took its place.
     *
     * @param offset byte offset of the sample in its (uncompressed) shard
     * @param key of the sample within the shard
     * @param position global position that the other one fills
     * @param firstBytes the sample's first bytes in hexadecimal; empty when there are none or an older program wrote this
     */
    record BadSample(
            long timeMillis,
            String node,
            long step,
            String shard,
            long offset,
            String key,
            long position,
            String cause,
            String firstBytes)
            implements Event {
        public BadSample {
            firstBytes = firstBytes == null ? "" : firstBytes;
        }
    }

    /**
     * What a quarantined sample looks like, as far as anything of it can be decoded; some time after its {@link BadSample}, of
     * the first ones of a node and of few after that.
     *
     * @param png small picture, made anew from the pixels, in Base64
     */
    record Thumbnail(long timeMillis, String node, String shard, String key, String png) implements Event {}

    /**
     * What {@code data.curate} left out of a source of training images when its shards were indexed; once, when a node joins,
     * and the same on all.
     *
     * @param samples that are used
     * @param causes samples that are not, by cause; {@code duplicate} are those that look like another of their shard
     * @param shardsWithMost near-duplicates, the most first; not all of many shards
     * @param pairs some of them, as far as they are known
     */
    record Curated(
            long timeMillis,
            String node,
            String source,
            int shards,
            long samples,
            Map<String, Long> causes,
            List<Shard> shardsWithMost,
            List<Pair> pairs)
            implements Event {
        public Curated {
            causes = Collections.unmodifiableSortedMap(new TreeMap<>(causes));
            shardsWithMost = List.copyOf(shardsWithMost);
            pairs = List.copyOf(pairs);
        }

        /** How many near-duplicates were left out of a shard. */
        public record Shard(String name, long duplicates) {}

        /**
         * @param leftOut key of the image that is not used
         * @param kept key of that which it looks like
         * @param bits of 64 in which their perceptual hashes differ
         */
        public record Pair(String shard, String leftOut, String kept, int bits) {}
    }

    /**
     * What has gone through a node's input pipeline since the node started; every few seconds.
     *
     * @param stages in the order in which a sample passes them
     * @param sources of the training images; counted over the whole run, hence the same on all nodes
     */
    record Input(long timeMillis, String node, List<Stage> stages, List<Source> sources) implements Event {
        public Input {
            stages = List.copyOf(stages);
            sources = List.copyOf(sources);
        }

        /**
         * @param items that have passed: shards, samples or batches
         * @param bytes of them
         * @param seconds that they spent in the stage together
         * @param depth items in it at that moment
         */
        public record Stage(String name, long items, long bytes, double seconds, long depth) {}

        /**
         * @param images trained on so far
         * @param epoch passes over the source so far, fractional
         */
        public record Source(String name, long images, double epoch) {}
    }

    /**
     * A node's cache of the shards that cannot be read where they lie; every few seconds. What is counted is what this node
     * did since it started, for the training images; the folder may be shared with others.
     *
     * @param heldBytes of the shards in the folder, whoever brought them there
     * @param limitBytes that they may have; 0 for any
     * @param shards in the folder
     * @param hits times that a shard was asked for and was there
     * @param misses times that it had to be brought in first
     * @param evictions shards that went to make room
     * @param filling shards that are being brought in now
     * @param fetchedBytes that came from elsewhere
     * @param retries requests that followed a failed one
     */
    record Cache(
            long timeMillis,
            String node,
            String directory,
            long heldBytes,
            long limitBytes,
            int shards,
            long hits,
            long misses,
            long evictions,
            long filling,
            long fetchedBytes,
            long retries)
            implements Event {}

    /** The room on the disk of a node's run directory; twice a minute. */
    record Disk(long timeMillis, String node, String directory, long freeBytes, long totalBytes) implements Event {}

    /**
     * What a node's process takes of its machine; every few seconds. A share that cannot be had is NaN, a size -1.
     *
     * @param processCpu share of the time of all cores that the process took since it last said so, from 0 to 1
     * @param machineCpu share that all processes of the machine took
     * @param cores that the process may use
     * @param residentBytes memory that the process holds, tensors included; where the system does not tell it, the virtual
     *     memory that is committed to it
     * @param memoryBytes of the machine, or of the container
     * @param availableBytes of it that could still be had, caches of files included
     * @param heapBytes Java objects, dead ones included; part of the resident memory
     * @param heapMaxBytes most that they may take
     * @param gpus that the node computes on
     */
    record Usage(
            long timeMillis,
            String node,
            double processCpu,
            double machineCpu,
            int cores,
            long residentBytes,
            long memoryBytes,
            long availableBytes,
            long heapBytes,
            long heapMaxBytes,
            List<Gpu> gpus)
            implements Event {
        public Usage {
            gpus = gpus == null ? List.of() : List.copyOf(gpus);
        }

        /**
         * Memory of a GPU. How busy it is only NVML tells, which no library of this program brings; it is not guessed.
         *
         * @param device as the node counts them, such as {@code cuda:0}
         * @param usedBytes by all processes
         */
        public record Gpu(String device, long usedBytes, long totalBytes) {}
    }

    /**
     * Something about the run calls for attention, or does so no longer. The monitor's node says it.
     *
     * @param alarm its kind, such as {@code loss-spike}
     * @param subject rank or node that it is about; empty when it is the whole run
     * @param raised whether it begins; false when it is over
     * @param step last step at that moment
     * @param value what was measured; NaN where it is no number
     * @param threshold value that raises it
     * @param text what was seen, its value and why that is an alarm, or why no longer
     * @param advice what to try
     */
    record Alarm(
            long timeMillis,
            String node,
            String alarm,
            String subject,
            boolean raised,
            long step,
            double value,
            double threshold,
            String text,
            String advice)
            implements Event {}

    /**
     * Somebody has asked something of the run, or it has come of it. The coordinator's node says it.
     *
     * @param action {@code pause}, {@code resume}, {@code checkpoint}, {@code probe}, {@code drain}, {@code log-level}
     * @param subject node or level that it is about; empty when it is the whole run
     * @param who address of whoever asked
     * @param step optimizer steps taken by then; -1 before the first weights
     * @param outcome {@link #ASKED}, later {@link #DONE} or {@link #REFUSED}; what is done or refused at once is said once
     * @param detail in words; empty when it is asked
     */
    record Action(
            long timeMillis,
            String node,
            String action,
            String subject,
            String who,
            long step,
            String outcome,
            String detail)
            implements Event {
        public static final String ASKED = "asked";
        public static final String DONE = "done";
        public static final String REFUSED = "refused";

        /** As one line. */
        public String words() {
            String what = action.replace('-', ' ') + (subject.isEmpty() ? "" : " " + subject) + ", asked by " + who;
            return outcome.equals(ASKED) ? what : what + ": " + outcome + ", " + detail;
        }

        /** Whether the ranks rest from now on. */
        public boolean pauses() {
            return action.equals("pause") && outcome.equals(DONE);
        }

        /** Whether they no longer have to. */
        public boolean resumes() {
            return action.equals("resume") && outcome.equals(DONE);
        }
    }

    /** @param outcome {@code completed}, {@code stopped}, {@code failed} */
    record RunEnded(long timeMillis, String node, long step, String outcome, String detail) implements Event {}
}
