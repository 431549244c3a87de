package io.rasterflow.monitoring.alarm;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** The kinds of alarms, each with what to try. */
public enum AlarmKind {
    LOSS_SPIKE(
            "loss-spike",
            "look at the images of this step (rasterflow replay --step), and train on without them if they are to blame; when"
                    + " spikes come back, lower train.learningRate or optimizer.clip, or raise train.warmupSteps"),
    DIVERGENCE(
            "divergence",
            "stop, and begin again from a checkpoint before the rise with a lower train.learningRate or optimizer.clip"),
    PLATEAU("plateau", "let the rate fall (train.schedule=cosine), try another peak, a larger model or more data"),
    OVER_FIT(
            "over-fit",
            "take the checkpoint of the best validation; train on more images or for fewer steps, or raise"
                    + " optimizer.weightDecay"),
    DEAD_GRADIENTS(
            "dead-gradients",
            "compare with train.precision=fp32; check train.learningRate, and data.augment.mean and std against the images"),
    DATA_STALL(
            "data-stall",
            "raise data.stream.decodeThreads or prefetchBatches; check the rate of the storage (rasterflow bench input)"),
    SILENCE(
            "silence",
            "look at the nodes' logs and at who waits for whom; a node that hangs can be killed, the others go on"),
    STRAGGLER("straggler", "look for other work, heat or a slow disk on that node; it can be drained with SIGTERM"),
    DISK("disk", "free some space there, or move the run or its older checkpoints to another disk"),
    CLOCK_SKEW("clock-skew", "set the node's clock (chrony, systemd-timesyncd): journals of a run are merged by time"),
    THROUGHPUT("throughput", "see which part of the step grew on the page; look for other work or heat on the nodes"),
    RUN_FAILED("run-failed", "once the cause is gone, go on with: rasterflow train --resume");

    private final String id;
    private final String advice;

    AlarmKind(String id, String advice) {
        this.id = id;
        this.advice = advice;
    }

    /** As in events, labels and the configuration. */
    public String id() {
        return id;
    }

    /** Whether it is about a machine, whatever the run does there. */
    boolean ofMachine() {
        return this == DISK || this == CLOCK_SKEW;
    }

    /** What to try. */
    public String advice() {
        return advice;
    }

    /** The kind of that name, if there is one. */
    public static Optional<AlarmKind> of(String id) {
        return Arrays.stream(values()).filter(kind -> kind.id.equals(id)).findFirst();
    }

    /** All names, for people. */
    static String names() {
        return Arrays.stream(values()).map(AlarmKind::id).collect(Collectors.joining(", "));
    }
}
