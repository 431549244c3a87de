package io.rasterflow.model.embed;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.Compute;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.Processor;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import io.rasterflow.model.program.Tensors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Frozen features of images under bidirectional attention. Holds the trunk's weights tensor by tensor, so that their sum
 * may exceed 2 GiB. Confined to one thread.
 *
 * <p>B images, C channels, H height, W width, K patches, D width.
 */
public final class Embedder implements AutoCloseable {
    /** Tokens of one native call: with more, the activations fall out of the processor's cache. */
    private static final int CHUNK_TOKENS = 1024;

    private static final String LIBRARY = "embed";

    /** PyTorch's numbers of the types in which matrix products run. */
    private static final int TORCH_FLOAT32 = 6;

    private static final int TORCH_BFLOAT16 = 15;

    private final AimConfig config;
    private final Program program;
    private final Device device;
    private final NDManager scope;
    private final NDManager host = Engines.newScope();
    private final List<NDArray> weights = new ArrayList<>();

    /** @param weights by checkpoint name; those of heads are not used */
    public Embedder(AimConfig config, Compute compute, SortedMap<String, Tensor> weights) {
        this.config = config;
        device = Engines.device(compute.device());
        scope = Engines.newScope(device);
        SortedMap<String, Tensor> trunk = new TreeMap<>(weights);
        trunk.keySet().removeIf(name -> !name.startsWith("trunk.") && !name.startsWith("preprocessor."));
        Map<String, Object> attributes = Map.of(
                "grid", config.imageSize() / config.patchSize(),
                "width", config.trunk().dim(),
                "heads", config.trunk().heads(),
                "eps", config.normEps(),
                "dtype", Processor.operandKind(compute.precision(), device) == 1 ? TORCH_BFLOAT16 : TORCH_FLOAT32,
                "names", List.copyOf(trunk.keySet()));
        program = Program.load(LIBRARY, "Embedder", sources(), attributes, device);
        load(trunk);
    }

    /** The text of the program and of what it includes, by library. */
    private static Map<String, String> sources() {
        return Map.of(
                LIBRARY,
                ProgramArchive.source(Embedder.class, "embed.py"),
                "trunk",
                ProgramArchive.source(AimConfig.class, "trunk.py"));
    }

    private void load(SortedMap<String, Tensor> trunk) {
        int most = trunk.values().stream()
                .mapToInt(tensor -> tensor.values().capacity())
                .max()
                .orElse(0);
        ByteBuffer staging =
                ByteBuffer.allocateDirect(Math.multiplyExact(most, Float.BYTES)).order(ByteOrder.nativeOrder());
        for (Tensor tensor : trunk.values()) {
            staging.clear().asFloatBuffer().put(tensor.values().duplicate().rewind());
            try (NDManager call = host.newSubManager()) {
                // The copy lies in the engine's own memory, so that the staging buffer can be used again.
                NDArray wrapped = Tensors.wrap(call, "weights", staging, 0, new Shape(tensor.shape()));
                NDArray copy = device.isGpu() ? wrapped.toDevice(device, true) : wrapped.duplicate();
                copy.attach(scope);
                weights.add(copy);
            }
        }
        Program.list("weights", weights);
    }

    /** Floats that one image's features have. */
    public int featureFloats(Features features) {
        return config.trunk().dim() * (features.pool() == Features.Pool.MEAN ? 1 : config.patches());
    }

    /**
     * Features of B images.
     *
     * @param images (B, C, H, W) float32, native order, direct
     * @param count B
     * @return (B, D) or (B, K, D), row-major
     */
    public float[] features(ByteBuffer images, int count, Features features) {
        int each = featureFloats(features);
        float[] result = new float[Math.multiplyExact(count, each)];
        int chunk = Math.max(1, CHUNK_TOKENS / config.patches());
        long pixelsOfOne = (long) config.channels() * config.imageSize() * config.imageSize();
        for (int start = 0; start < count; start += chunk) {
            int some = Math.min(chunk, count - start);
            try (NDManager call = scope.newSubManager();
                    NDManager wrapped = host.newSubManager()) {
                Shape shape = new Shape(some, config.channels(), config.imageSize(), config.imageSize());
                NDArray pixels = Tensors.wrap(wrapped, "images", images, start * pixelsOfOne, shape);
                List<NDArray> arguments = new ArrayList<>();
                arguments.add(pixels.toDevice(device, false));
                arguments.add(wrapped.create(
                        features.layers().stream().mapToLong(Integer::longValue).toArray()));
                arguments.add(wrapped.create(features.normed() ? 1 : 0));
                arguments.add(wrapped.create(features.pool() == Features.Pool.MEAN ? 1 : 0));
                arguments.addAll(weights);
                NDArray value = program.call(call, "features", arguments).singletonOrThrow();
                System.arraycopy(value.toFloatArray(), 0, result, start * each, some * each);
            }
        }
        return result;
    }

    @Override
    public void close() {
        scope.close();
        host.close();
        program.close();
    }
}
