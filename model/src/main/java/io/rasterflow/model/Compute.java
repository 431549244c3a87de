package io.rasterflow.model;

/**
 * How a model is computed; the same on every rank of a run.
 *
 * @param precision of the matrix products
 * @param device {@code auto} (GPUs where they are usable, else the processor), {@code cpu}, {@code cuda} (a GPU for each
 *     replica) or {@code cuda:N}
 * @param activationBytes memory for the activations that a replica holds at a time; where it does not suffice, whole blocks are
 *     computed again during the backward pass (activation checkpointing). 0: no limit
 * @param threads of a replica on a processor; results do not depend on it, bit for bit
 */
public record Compute(Precision precision, String device, long activationBytes, int threads) {

    /** Float32 on one thread of the processor without a limit: what results are compared with. */
    public static final Compute REFERENCE = of(Precision.FP32);

    public Compute {
        if (!device.matches("auto|cpu|cuda(:\\d+)?")) {
            throw new IllegalArgumentException("train.device must be auto, cpu, cuda or cuda:N but is " + device);
        }
        if (threads < 1) {
            throw new IllegalArgumentException("train.threads must be at least 1 but is " + threads);
        }
        if (activationBytes < 0) {
            throw new IllegalArgumentException("train.activationBytes must not be negative but is " + activationBytes);
        }
    }

    /**
     * The device of one of a process's replicas: every GPU has one trainer.
     *
     * @param replica 0 for the first of its process
     * @param gpus that this process can use
     */
    public Compute forReplica(int replica, int gpus) {
        boolean spread = gpus > 0 && (device.equals("auto") || device.equals("cuda"));
        return spread ? new Compute(precision, "cuda:" + replica % gpus, activationBytes, threads) : this;
    }

    /** On one thread of the processor, without a limit on activations. */
    public static Compute of(Precision precision) {
        return new Compute(precision, "cpu", 0, 1);
    }
}
