package io.rasterflow.model.aim;

import io.rasterflow.model.program.ParameterLayout;
import java.util.LinkedHashMap;
import java.util.List;

/** Names and shapes of an AIM model's parameters: those of the public ml-aim checkpoints, pixel head under {@code head.}. */
public final class AimLayout {
    private static final int MLP_RATIO = 4;

    private final LinkedHashMap<String, List<Integer>> shapes = new LinkedHashMap<>();

    private AimLayout() {}

    /** Lays out the parameters of the given model. */
    public static ParameterLayout of(AimConfig config) {
        AimLayout layout = new AimLayout();
        layout.patchifier(config);
        layout.trunk(config.trunk());
        layout.head(config);
        return ParameterLayout.of(layout.shapes);
    }

    private void patchifier(AimConfig config) {
        int dim = config.trunk().dim();
        int patch = config.patchSize();
        shapes.put("preprocessor.patchifier.proj.weight", List.of(dim, config.channels(), patch, patch));
        shapes.put("preprocessor.patchifier.proj.bias", List.of(dim));
        norm("preprocessor.patchifier.norm", dim);
    }

    private void trunk(AimConfig.Trunk trunk) {
        int dim = trunk.dim();
        for (int i = 0; i < trunk.blocks(); i++) {
            String block = "trunk.blocks." + i;
            norm(block + ".norm_1", dim);
            shapes.put(block + ".attn.qkv.weight", List.of(3 * dim, dim));
            shapes.put(block + ".attn.proj.weight", List.of(dim, dim));
            norm(block + ".norm_2", dim);
            mlp(block + ".mlp", dim);
        }
        norm("trunk.post_trunk_norm", dim);
    }

    private void head(AimConfig config) {
        int dim = config.head().dim();
        shapes.put("head.decoder_projection.weight", List.of(dim, config.trunk().dim()));
        shapes.put("head.decoder_projection.bias", List.of(dim));
        for (int i = 0; i < config.head().blocks(); i++) {
            String block = "head.decoder_blocks." + i;
            norm(block + ".norm_1", dim);
            norm(block + ".norm_2", dim);
            mlp(block + ".mlp", dim);
        }
        norm("head.decoder_norm", dim);
        shapes.put("head.decoder_pred.weight", List.of(config.patchValues(), dim));
        shapes.put("head.decoder_pred.bias", List.of(config.patchValues()));
    }

    private void norm(String name, int dim) {
        shapes.put(name + ".weight", List.of(dim));
        shapes.put(name + ".bias", List.of(dim));
    }

    private void mlp(String name, int dim) {
        shapes.put(name + ".fc1.weight", List.of(MLP_RATIO * dim, dim));
        shapes.put(name + ".fc2.weight", List.of(dim, MLP_RATIO * dim));
    }
}
