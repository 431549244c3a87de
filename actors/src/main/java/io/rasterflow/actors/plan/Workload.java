package io.rasterflow.actors.plan;

import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.AimCost;
import io.rasterflow.model.aim.AimLayout;
import io.rasterflow.model.program.ParameterLayout;
import java.util.List;

/**
 * What a step has to do.
 *
 * @param parameters of the model
 * @param flopsPerImage forward and backward pass of an image
 * @param batch global batch in images
 * @param microBatches that it is cut into
 * @param bucketFloats gradient buckets in the order of the forward pass
 * @param wireBytes bytes of a gradient on the wire: 4 (fp32) or 2 (bf16)
 */
public record Workload(
        long parameters, double flopsPerImage, int batch, int microBatches, List<Integer> bucketFloats, int wireBytes) {

    /** Float32 weights and AdamW's two moments. */
    private static final int STATE_BYTES = 12;

    /** Weights, gradients and moments read, weights and moments written. */
    private static final int UPDATE_BYTES = 28;

    public Workload {
        bucketFloats = List.copyOf(bucketFloats);
        Checks.require(parameters >= 1, "a model has at least one parameter, not " + parameters);
        Checks.positive("FLOPs per image", flopsPerImage);
        Checks.require(batch >= 1, "--batch must be at least 1 but is " + batch);
        Checks.require(
                microBatches >= 1 && microBatches <= batch,
                "--micro-batches must be between 1 and --batch (" + batch + ") but is " + microBatches);
        Checks.require(!bucketFloats.isEmpty(), "a gradient has at least one bucket");
        Checks.require(wireBytes == 2 || wireBytes == 4, "a gradient takes 2 or 4 bytes on the wire, not " + wireBytes);
    }

    /** The step of a model, with the buckets in which it really gives its gradients. */
    public static Workload of(AimConfig model, int batch, int microBatches, int wireBytes) {
        AimCost cost = new AimCost(model);
        List<Integer> buckets = AimLayout.of(model).buckets().stream()
                .map(ParameterLayout.Bucket::floats)
                .toList();
        return new Workload(cost.parameters(), cost.trainingFlops(), batch, microBatches, buckets, wireBytes);
    }

    double imagesPerMicroBatch() {
        return (double) batch / microBatches;
    }

    int buckets() {
        return bucketFloats.size();
    }

    /** Bytes of a bucket on the wire. */
    double bucketBytes(int bucket) {
        return (double) bucketFloats.get(bucket) * wireBytes;
    }

    /** Bytes of the whole gradient on the wire. */
    public double gradientBytes() {
        return gradientFloats() * wireBytes;
    }

    double gradientFloats() {
        return bucketFloats.stream().mapToDouble(Integer::doubleValue).sum();
    }

    /** What a rank that joins is sent. */
    public double stateBytes() {
        return (double) parameters * STATE_BYTES;
    }

    /** What the optimizer moves between a device and its memory. */
    double updateBytes() {
        return (double) parameters * UPDATE_BYTES;
    }
}
