package io.rasterflow.model.finetune;

import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.finetune.FineTuneLayout.Parameter;
import java.util.ArrayList;
import java.util.List;

/**
 * Which parameters are trained and which are not, by the names of the public ml-aim checkpoints; the head's parts are
 * those of ml-aim's attentive classifier under {@code probe.}, adapters are {@code NAME.lora_A} (r, D) and {@code
 * NAME.lora_B} (D, r).
 *
 * @param trunk every parameter of the trunk
 * @param frozen those that stay as they are
 * @param trained adapters or trunk, and the head
 */
public record FineTuneParameters(List<String> trunk, FineTuneLayout frozen, FineTuneLayout trained) {
    static final String HEAD = "probe.";
    static final String QUERY = HEAD + "cls_token";
    static final String LORA_A = ".lora_A";
    static final String LORA_B = ".lora_B";

    private static final String FINAL_NORM = "trunk.post_trunk_norm.";
    private static final int MLP_RATIO = 4;

    /** What fine-tuning of the given kind trains. */
    public static FineTuneParameters of(AimConfig model, FineTuneConfig config) {
        List<Parameter> trunk = trunk(model);
        List<Parameter> frozen = new ArrayList<>();
        List<Parameter> trained = new ArrayList<>();
        for (Parameter parameter : trunk) {
            // Features are taken before the final norm, so nothing would ever reach it.
            boolean fixed = config.kind() == FineTuneConfig.Kind.LORA
                    || parameter.name().startsWith(FINAL_NORM);
            (fixed ? frozen : trained).add(parameter);
        }
        if (config.kind() == FineTuneConfig.Kind.LORA) {
            trained.addAll(adapters(model.trunk(), config.rank()));
        }
        trained.addAll(head(model.trunk(), config.classes()));
        return new FineTuneParameters(
                trunk.stream().map(Parameter::name).toList(), new FineTuneLayout(frozen), new FineTuneLayout(trained));
    }

    private static List<Parameter> trunk(AimConfig model) {
        int dim = model.trunk().dim();
        int patch = model.patchSize();
        List<Parameter> all = new ArrayList<>();
        all.add(new Parameter("preprocessor.patchifier.proj.weight", List.of(dim, model.channels(), patch, patch), 0));
        all.add(new Parameter("preprocessor.patchifier.proj.bias", List.of(dim), 0));
        norm(all, "preprocessor.patchifier.norm", dim, 0);
        for (int i = 0; i < model.trunk().blocks(); i++) {
            String block = "trunk.blocks." + i;
            norm(all, block + ".norm_1", dim, i + 1);
            all.add(new Parameter(block + ".attn.qkv.weight", List.of(3 * dim, dim), i + 1));
            all.add(new Parameter(block + ".attn.proj.weight", List.of(dim, dim), i + 1));
            norm(all, block + ".norm_2", dim, i + 1);
            all.add(new Parameter(block + ".mlp.fc1.weight", List.of(MLP_RATIO * dim, dim), i + 1));
            all.add(new Parameter(block + ".mlp.fc2.weight", List.of(dim, MLP_RATIO * dim), i + 1));
        }
        norm(all, "trunk.post_trunk_norm", dim, model.trunk().blocks() + 1);
        return all;
    }

    private static void norm(List<Parameter> all, String name, int dim, int depth) {
        all.add(new Parameter(name + ".weight", List.of(dim), depth));
        all.add(new Parameter(name + ".bias", List.of(dim), depth));
    }

    /** All of one depth: layer decay is for weights that have learnt something. */
    private static List<Parameter> adapters(AimConfig.Trunk trunk, int rank) {
        List<Parameter> all = new ArrayList<>();
        for (int i = 0; i < trunk.blocks(); i++) {
            for (String part : List.of("q", "v", "proj")) {
                String name = "trunk.blocks." + i + ".attn." + part;
                all.add(new Parameter(name + LORA_A, List.of(rank, trunk.dim()), trunk.blocks() + 1));
                all.add(new Parameter(name + LORA_B, List.of(trunk.dim(), rank), trunk.blocks() + 1));
            }
        }
        return all;
    }

    private static List<Parameter> head(AimConfig.Trunk trunk, int classes) {
        int dim = trunk.dim();
        int depth = trunk.blocks() + 1;
        return List.of(
                new Parameter(QUERY, List.of(1, 1, dim), depth),
                new Parameter(HEAD + "k.weight", List.of(dim, dim), depth),
                new Parameter(HEAD + "v.weight", List.of(dim, dim), depth),
                new Parameter(HEAD + "linear.weight", List.of(classes, dim), depth));
    }
}
