package io.rasterflow.model.aim;

import io.rasterflow.model.program.ParameterLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * Names and shapes of an AIM model's parameters: those of the public ml-aim checkpoints, pixel head under {@code head.}.
 * Groups as {@code aim.py} walks them: embedding; blocks of the trunk; entrance, blocks and exit of the head.
 */
public final class AimLayout {
    private static final int MLP_RATIO = 4;

    private final List<LinkedHashMap<String, List<Integer>>> groups = new ArrayList<>();

    private AimLayout() {}

    /** Lays out the parameters of the given model. */
    public static ParameterLayout of(AimConfig config) {
        AimLayout layout = new AimLayout();
        layout.embedding(config);
        layout.trunk(config.trunk());
        layout.head(config);
        return ParameterLayout.of(layout.groups);
    }

    private void embedding(AimConfig config) {
        group();
        int dim = config.trunk().dim();
        int patch = config.patchSize();
        shape("preprocessor.patchifier.proj.weight", dim, config.channels(), patch, patch);
        shape("preprocessor.patchifier.proj.bias", dim);
        norm("preprocessor.patchifier.norm", dim);
        if (config.objective().kind() == Objective.Kind.MASKED) {
            shape("head.mask_token", dim);
        }
    }

    private void trunk(AimConfig.Trunk trunk) {
        for (int i = 0; i < trunk.blocks(); i++) {
            group();
            block("trunk.blocks." + i, trunk.dim(), true);
        }
    }

    private void head(AimConfig config) {
        AimConfig.Head.Kind kind = config.head().kind();
        group();
        norm("trunk.post_trunk_norm", config.trunk().dim());
        int dim = config.trunk().dim();
        if (kind != AimConfig.Head.Kind.NONE) {
            dim = config.head().dim();
            shape("head.decoder_projection.weight", dim, config.trunk().dim());
            shape("head.decoder_projection.bias", dim);
            for (int i = 0; i < config.head().blocks(); i++) {
                group();
                block("head.decoder_blocks." + i, dim, kind == AimConfig.Head.Kind.TRANSFORMER);
            }
        }
        group();
        if (kind != AimConfig.Head.Kind.NONE) {
            norm("head.decoder_norm", dim);
        }
        shape("head.decoder_pred.weight", config.predictedValues(), dim);
        shape("head.decoder_pred.bias", config.predictedValues());
    }

    private void block(String name, int dim, boolean attends) {
        norm(name + ".norm_1", dim);
        if (attends) {
            shape(name + ".attn.qkv.weight", 3 * dim, dim);
            shape(name + ".attn.proj.weight", dim, dim);
        }
        norm(name + ".norm_2", dim);
        shape(name + ".mlp.fc1.weight", MLP_RATIO * dim, dim);
        shape(name + ".mlp.fc2.weight", dim, MLP_RATIO * dim);
    }

    private void norm(String name, int dim) {
        shape(name + ".weight", dim);
        shape(name + ".bias", dim);
    }

    private void group() {
        groups.add(new LinkedHashMap<>());
    }

    private void shape(String name, Integer... sizes) {
        groups.get(groups.size() - 1).put(name, List.of(sizes));
    }
}
