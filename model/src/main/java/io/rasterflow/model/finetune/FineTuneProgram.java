package io.rasterflow.model.finetune;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.rasterflow.model.Compute;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.optimizer.AdamW;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.Processor;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import java.util.HashMap;
import java.util.Map;

/** {@code finetune.py} with the sizes of one model filled in; what its methods do is written there. */
final class FineTuneProgram implements AutoCloseable {
    private static final String LIBRARY = "finetune";
    private static final String TRUNK = "trunk";
    private static final int TORCH_FLOAT32 = 6;
    private static final int TORCH_BFLOAT16 = 15;
    private static final int OPERANDS_BF16 = 1;

    private final Device device;
    private final Program program;

    FineTuneProgram(AimConfig model, FineTuneConfig config, FineTuneParameters parameters, Compute compute) {
        device = Engines.device(compute.device());
        Map<String, Object> attributes = new HashMap<>();
        attributes.put("grid", model.imageSize() / model.patchSize());
        attributes.put("blocks", model.trunk().blocks());
        attributes.put("heads", model.trunk().heads());
        attributes.put("width", model.trunk().dim());
        attributes.put("eps", model.normEps());
        attributes.put("dtype", scalarType(compute));
        attributes.put("last", config.lastBlocks());
        attributes.put("classes", config.classes());
        attributes.put("adapted", config.kind() == FineTuneConfig.Kind.LORA);
        attributes.put("scale", config.scale());
        attributes.put("clip", config.clip());
        attributes.put("trunk_names", parameters.trunk());
        attributes.put("frozen_names", parameters.frozen().names());
        attributes.put("frozen_shapes", parameters.frozen().shapes());
        attributes.put("frozen_offsets", parameters.frozen().offsets());
        attributes.put("names", parameters.trained().names());
        attributes.put("shapes", parameters.trained().shapes());
        attributes.put("offsets", parameters.trained().offsets());
        attributes.put("floats", parameters.trained().floats());
        attributes.put(
                "group_floats",
                parameters.trained().groups().stream()
                        .map(FineTuneLayout.Group::floats)
                        .toList());
        program = Program.load(LIBRARY, "FineTune", sources(), attributes, device);
    }

    /** PyTorch's number of the products' type; a processor that does not multiply bf16 is faster in float32. */
    private int scalarType(Compute compute) {
        return Processor.operandKind(compute.precision(), device) == OPERANDS_BF16 ? TORCH_BFLOAT16 : TORCH_FLOAT32;
    }

    Device device() {
        return device;
    }

    private static Map<String, String> sources() {
        return Map.of(
                LIBRARY,
                ProgramArchive.source(FineTuneProgram.class, "finetune.py"),
                TRUNK,
                ProgramArchive.source(Aim.class, "trunk.py"),
                AdamW.LIBRARY,
                AdamW.source());
    }

    NDList call(NDManager scope, String method, NDArray... arguments) {
        return program.call(scope, method, arguments);
    }

    @Override
    public void close() {
        program.close();
    }
}
