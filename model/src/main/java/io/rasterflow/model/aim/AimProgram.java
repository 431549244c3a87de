package io.rasterflow.model.aim;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.Compute;
import io.rasterflow.model.codebook.Codebook;
import io.rasterflow.model.program.EmptyContainer;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.ParameterLayout;
import io.rasterflow.model.program.Processor;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import io.rasterflow.model.program.Tensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** {@code aim.py} with the sizes of one model filled in; what its methods do is written there. */
final class AimProgram implements AutoCloseable {
    private static final String LIBRARY = "aim";
    private static final List<String> INCLUDED = List.of("trunk", "blocks");

    private final AimConfig config;
    private final Device device;
    private final Program program;

    AimProgram(AimConfig config, ParameterLayout layout, Compute compute) {
        this.config = config;
        device = Engines.device(compute.device());
        Map<String, Object> attributes = new TreeMap<>(layout.attributes());
        attributes.put("grid", config.imageSize() / config.patchSize());
        attributes.put("blocks", config.trunk().blocks());
        attributes.put("heads", config.trunk().heads());
        attributes.put("width", config.trunk().dim());
        attributes.put("head_kind", config.head().kind().ordinal());
        attributes.put(
                "head_blocks",
                config.head().kind() == AimConfig.Head.Kind.NONE
                        ? 0
                        : config.head().blocks());
        attributes.put("head_width", config.head().dim());
        attributes.put("head_heads", config.headHeads());
        attributes.put("eps", config.normEps());
        attributes.put("kind", Processor.operandKind(compute.precision(), device));
        attributes.put("masked", config.objective().kind() == Objective.Kind.MASKED);
        attributes.put("target", config.objective().target().ordinal());
        attributes.put("order", order(config));
        attributes.put("recomputed", 0);
        attributes.put("p", new EmptyContainer("Dict[str, Tensor]"));
        attributes.put("terms", new EmptyContainer("List[Dict[str, List[Tensor]]]"));
        for (String tensors : List.of("codebook", "rows", "flow")) {
            attributes.put(tensors, new EmptyContainer("List[Tensor]"));
        }
        attributes.put("bias", new EmptyContainer("List[List[Tensor]]"));
        attributes.put("kept", new EmptyContainer("List[List[List[Tensor]]]"));
        attributes.put("images", 0);
        attributes.put("tokens", 0);
        program = Program.load(LIBRARY, "Aim", sources(), attributes, device);
    }

    /** The text of the program and of what it includes, by library. */
    private static Map<String, String> sources() {
        Map<String, String> sources = new TreeMap<>();
        sources.put(LIBRARY, ProgramArchive.source(AimProgram.class, LIBRARY + ".py"));
        INCLUDED.forEach(name -> sources.put(name, ProgramArchive.source(AimProgram.class, name + ".py")));
        return sources;
    }

    /** The order of an autoregressive objective; raster order is the empty list. */
    private static List<Integer> order(AimConfig config) {
        Objective objective = config.objective();
        if (objective.kind() == Objective.Kind.MASKED || objective.order() == Objective.Order.RASTER) {
            return List.of();
        }
        int[] order = PatchOrder.of(objective.order(), config.imageSize() / config.patchSize());
        return Arrays.stream(order).boxed().toList();
    }

    /** What matrices are multiplied as, one tensor per bucket: the weights, or cast copies of them. */
    List<NDArray> operands(NDManager scope, List<NDArray> weights) {
        try (NDManager call = scope.newSubManager()) {
            NDList operands = program.call(call, "operands", Program.list("weights", weights));
            operands.attach(scope);
            return List.copyOf(operands);
        }
    }

    /** Takes the weights and operands, and the codebook of token targets. */
    void bind(NDManager scope, List<NDArray> weights, List<NDArray> operands) {
        try (NDManager call = scope.newSubManager()) {
            program.call(call, "bind", both(weights, operands));
            if (config.objective().target() == Objective.Target.TOKENS) {
                program.call(call, "set_codebook", codebook(call));
            }
        }
    }

    /** Zeros, in place. */
    void clear(NDManager call, List<NDArray> buckets) {
        program.call(call, "clear", Program.list("buckets", buckets));
    }

    /** Lets the operands follow the weights after they have changed in place. */
    void refresh(NDManager call, List<NDArray> weights, List<NDArray> operands) {
        program.call(call, "refresh", both(weights, operands));
    }

    private static List<NDArray> both(List<NDArray> weights, List<NDArray> operands) {
        List<NDArray> both = new ArrayList<>(Program.list("weights", weights));
        both.addAll(Program.list("operands", operands));
        return both;
    }

    private NDArray codebook(NDManager call) {
        Objective objective = config.objective();
        Path file = Path.of(objective.codebook());
        try {
            Codebook codebook = Codebook.read(file, config.patchSize(), config.channels(), objective.vocabulary());
            float[] values = new float[codebook.size() * codebook.values()];
            codebook.centroids().duplicate().rewind().get(values);
            return call.create(values, new Shape(codebook.size(), codebook.values()));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "model.objective.codebook " + file + " cannot be read: " + e.getMessage(), e);
        }
    }

    Device device() {
        return device;
    }

    NDList call(NDManager scope, String method, NDArray... arguments) {
        return program.call(scope, method, arguments);
    }

    /** Images (B, C, H, W) float32 over the caller's memory, from image {@code start} on, on the program's device. */
    NDArray images(NDManager scope, ByteBuffer images, int start, int count) {
        if (count < 1) {
            throw new IllegalArgumentException("a micro-batch must hold at least one image but holds " + count);
        }
        Shape shape = new Shape(count, config.channels(), config.imageSize(), config.imageSize());
        return Tensors.wrap(scope, "images", images, start * (shape.size() / count), shape)
                .toDevice(device, false);
    }

    @Override
    public void close() {
        program.close();
    }
}
