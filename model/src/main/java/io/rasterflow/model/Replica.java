package io.rasterflow.model;

import io.rasterflow.model.checkpoint.Snapshot;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.SortedMap;
import java.util.function.IntConsumer;

/**
 * One rank's copy of the model with its optimizer state: the weights and moments stay here, gradients go in and out.
 *
 * <p>B images of a micro-batch, C channels, H height, W width. Gradients travel in a few flat buckets, the groups of
 * parameters in the order of the forward pass; F_b {@link #bucketFloats()}.
 *
 * <p>Confined to one thread: the thread that opens a replica also uses and closes it (grad mode and the intra-op thread
 * count are thread-local in PyTorch). Two replicas that are given the same calls hold bit-identical weights.
 */
public interface Replica extends AutoCloseable {

    /** Length F_b of every bucket in float32 values, padding included; the same on every rank. */
    List<Integer> bucketFloats();

    /**
     * Length of all buckets side by side.
     *
     * @throws ArithmeticException from 2³¹ values on
     */
    default int gradientFloats() {
        return bucketFloats().stream().reduce(0, Math::addExact);
    }

    /** Shape of every parameter by its checkpoint name. */
    SortedMap<String, long[]> shapes();

    /** Trainable values, padding not counted. */
    long parameters();

    /** In which type the matrix products run; never {@link Precision#AUTO}. */
    Precision precision();

    /** Draws the initial weights from {@code seed} alone and clears the moments; step becomes 0. */
    void initialise(long seed);

    /**
     * Takes weights, moments and step from a snapshot.
     *
     * @throws IllegalArgumentException naming the first tensor that is missing, superfluous or of another shape
     */
    void restore(Snapshot snapshot);

    /** Copies weights, moments and step out, so that they can be written while training goes on. */
    Snapshot snapshot();

    /**
     * Does once what a step does, and forgets it: compiles, loads and allocates what the first step would wait for. Weights
     * and moments are undefined afterwards, as they are before the first {@link #initialise} or {@link #restore}.
     *
     * @param images as for {@link #gradients}
     * @param sampleKeys as for {@link #gradients}
     */
    void rehearse(ByteBuffer images, long[] sampleKeys);

    /**
     * Computes the loss and its gradient for one micro-batch. Both are sums over the counted patches, not means:
     * sums of several micro-batches can be added before they are divided once by the global number of patches.
     *
     * @param images (B, C, H, W) float32, native order, direct; position 0 to B·C·H·W·4
     * @param sampleKeys one random key per image, from which the objective draws its own randomness (prefix length)
     * @param gradientSum one direct buffer in native order of 4·F_b bytes per bucket; overwritten
     * @param ready is told the index of every bucket as soon as it is complete, the last bucket first
     */
    LossSum gradients(ByteBuffer images, long[] sampleKeys, List<ByteBuffer> gradientSum, IntConsumer ready);

    /** The same with the buckets side by side in one buffer. */
    default LossSum gradients(ByteBuffer images, long[] sampleKeys, ByteBuffer gradientSum) {
        return gradients(images, sampleKeys, Buckets.of(gradientSum, bucketFloats()), bucket -> {});
    }

    /**
     * Applies one optimizer step: gradient = sum / patches, global-norm clipping, AdamW.
     *
     * @param gradientSum as {@link #gradients} writes it, summed over the global batch
     * @param patches the number of counted patches in the global batch
     * @return the gradient norm before clipping; if it is not finite nothing has been changed
     */
    double update(List<ByteBuffer> gradientSum, long patches, double learningRate);

    /** The same with the buckets side by side in one buffer. */
    default double update(ByteBuffer gradientSum, long patches, double learningRate) {
        return update(Buckets.of(gradientSum, bucketFloats()), patches, learningRate);
    }

    @Override
    void close();
}
