package io.rasterflow.actors.run;

import io.rasterflow.actors.exchange.ExchangeConfig;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.Objective;
import io.rasterflow.model.checkpoint.TrainingState;
import io.rasterflow.model.optimizer.OptimizerConfig;
import io.rasterflow.model.probe.ProbeKind;
import io.rasterflow.monitoring.alarm.AlarmConfig;
import io.rasterflow.monitoring.export.ExportKind;
import io.rasterflow.monitoring.journal.Retention;
import java.util.List;

/**
 * Everything a node needs to know to take part in a run; the coordinator hands it to every node that joins.
 *
 * @param name of the run
 * @param directory run directory, the same path on every node
 * @param resume whether to continue from the latest checkpoint in the directory
 * @param origin checkpoint directory of another run that this one begins from; empty to begin with the seed
 * @param worldSize ranks to wait for before training begins
 * @param minNodes trainer nodes without which training waits once it has begun
 * @param replicas ranks per trainer node
 * @param images validation images of which predictions are shown
 * @param journal how much of each node's is kept
 * @param price of a trainer node for an hour; 0 where it is not known
 * @param exports what the node that runs the monitor writes for other tools while the run goes on
 * @param page served by whichever node runs the monitor
 */
public record RunPlan(
        String name,
        String directory,
        boolean resume,
        String origin,
        int worldSize,
        int minNodes,
        int replicas,
        AimConfig model,
        OptimizerConfig optimizer,
        TrainPlan train,
        DataPlan data,
        ProbePlan probe,
        ExchangeConfig exchange,
        int images,
        Retention journal,
        double price,
        AlarmConfig alarms,
        List<ExportKind> exports,
        PagePlan page) {
    public RunPlan {
        exports = List.copyOf(exports);
        if (worldSize < 1 || replicas < 1) {
            throw new IllegalArgumentException(
                    "a run needs at least one trainer, not " + worldSize + " (cluster.nodes times cluster.replicas)");
        }
        if (worldSize > train.microBatches()) {
            throw new IllegalArgumentException("train.microBatches (" + train.microBatches()
                    + ") must be at least the world size (" + worldSize
                    + "): every rank computes at least one; raise train.microBatches or lower cluster.replicas");
        }
    }

    /**
     * Whether this run can go on from a checkpoint. Steps own positions, so not with another seed or batch: samples
     * would be repeated or left out.
     *
     * @throws IllegalArgumentException with one line when it cannot
     */
    public void requireContinues(TrainingState checkpoint) {
        long position = checkpoint.step() * train.batch();
        if (checkpoint.seed() != train.seed() || checkpoint.position() != position) {
            throw new IllegalArgumentException("the checkpoint was taken at position " + checkpoint.position()
                    + " with seed " + checkpoint.seed() + ", but this configuration is at position " + position
                    + " with seed " + train.seed()
                    + "; train.seed and train.batch cannot change when a run goes on from a checkpoint");
        }
        if (checkpoint.step() > train.steps()) {
            throw new IllegalArgumentException("the checkpoint is of step " + checkpoint.step()
                    + ", but train.steps is " + train.steps() + "; raise train.steps or take an earlier checkpoint");
        }
    }

    /** The same with its page on another port. */
    public RunPlan withPagePort(int port) {
        return new RunPlan(
                name,
                directory,
                resume,
                origin,
                worldSize,
                minNodes,
                replicas,
                model,
                optimizer,
                train,
                data,
                probe,
                exchange,
                images,
                journal,
                price,
                alarms,
                exports,
                new PagePlan(page.served(), page.host(), port, page.compare()));
    }

    /** What a rank costs for an hour; NaN where it is not known. */
    public double rankHourPrice() {
        return price > 0 ? price / replicas : Double.NaN;
    }

    /** Validation images of which predictions are shown: none where tokens are predicted, which have no pixels. */
    public int shownImages() {
        return model.objective().target() == Objective.Target.TOKENS ? 0 : images;
    }

    /** Whether the weights of a step are written and validated. Step 0 is the untrained model. */
    public boolean checkpointDue(long step) {
        return step == 0 || step == train.steps() || step % train.checkpointEverySteps() == 0;
    }

    /** The probes that are put on a written checkpoint, that which the run is judged by first where it is among them. */
    public List<ProbeKind> probesDue(long step) {
        return step == 0 || step == train.steps()
                ? probe.kinds()
                : probe.due(step, step - train.checkpointEverySteps());
    }
}
