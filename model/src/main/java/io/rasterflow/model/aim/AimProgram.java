package io.rasterflow.model.aim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.Precision;
import io.rasterflow.model.program.ParameterLayout;
import io.rasterflow.model.program.Processor;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import io.rasterflow.model.program.Tensors;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;

/** {@code aim.py} with the sizes of one model filled in; what its methods do is written there. */
final class AimProgram implements AutoCloseable {
    private static final String LIBRARY = "aim";
    private static final String TRUNK = "trunk";

    private final AimConfig config;
    private final Program program;

    AimProgram(AimConfig config, ParameterLayout layout, Precision precision) {
        this.config = config;
        Map<String, Object> attributes = new TreeMap<>(layout.attributes());
        attributes.put("patch", config.patchSize());
        attributes.put("channels", config.channels());
        attributes.put("grid", config.imageSize() / config.patchSize());
        attributes.put("blocks", config.trunk().blocks());
        attributes.put("heads", config.trunk().heads());
        attributes.put("width", config.trunk().dim());
        attributes.put("head_blocks", config.head().blocks());
        attributes.put("head_width", config.head().dim());
        attributes.put("eps", config.normEps());
        attributes.put("dtype", Processor.scalarType(precision));
        program = Program.load(LIBRARY, "Aim", sources(), attributes);
    }

    /** The text of the program and of what it includes, by library. */
    static Map<String, String> sources() {
        return Map.of(
                LIBRARY, ProgramArchive.source(AimProgram.class, "aim.py"),
                TRUNK, ProgramArchive.source(AimProgram.class, "trunk.py"));
    }

    NDList call(NDManager scope, String method, NDArray... arguments) {
        return program.call(scope, method, arguments);
    }

    /** Images (B, C, H, W) float32 over the caller's memory, from image {@code start} on. */
    NDArray images(NDManager scope, ByteBuffer images, int start, int count) {
        if (count < 1) {
            throw new IllegalArgumentException("a micro-batch must hold at least one image but holds " + count);
        }
        Shape shape = new Shape(count, config.channels(), config.imageSize(), config.imageSize());
        return Tensors.wrap(scope, "images", images, start * (shape.size() / count), shape);
    }

    /** Prefix lengths of the images, drawn from their keys. */
    long[] prefixes(long[] sampleKeys) {
        long[] prefixes = new long[sampleKeys.length];
        for (int i = 0; i < prefixes.length; i++) {
            prefixes[i] = Prefix.draw(sampleKeys[i], config.patches());
        }
        return prefixes;
    }

    /** Patches that the loss counts: K - S of every image. */
    long countedPatches(long[] prefixes) {
        long counted = 0;
        for (long prefix : prefixes) {
            if (prefix < 1 || prefix >= config.patches()) {
                throw new IllegalArgumentException(
                        "a prefix length must be in 1.." + (config.patches() - 1) + " but is " + prefix);
            }
            counted += config.patches() - prefix;
        }
        return counted;
    }

    @Override
    public void close() {
        program.close();
    }
}
