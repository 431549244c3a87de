package io.rasterflow.model.aim;

import io.rasterflow.model.Compute;
import io.rasterflow.model.Evaluator;
import io.rasterflow.model.Replica;
import io.rasterflow.model.optimizer.OptimizerConfig;

/** Opens AIM models. Call {@link io.rasterflow.model.program.Engines#configure} first. */
public final class Aim {
    private Aim() {}

    /** A model to train, with weights and moments zero until it is initialised or restored. */
    public static Replica replica(AimConfig config, OptimizerConfig optimizer, Compute compute) {
        return new AimReplica(config, optimizer, compute);
    }

    /** A model to evaluate, without weights until a snapshot is loaded. */
    public static Evaluator evaluator(AimConfig config, Compute compute) {
        return new AimEvaluator(config, compute);
    }
}
