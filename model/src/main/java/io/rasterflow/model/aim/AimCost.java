package io.rasterflow.model.aim;

import io.rasterflow.model.Precision;
import java.util.ArrayList;
import java.util.List;

/**
 * What a model costs, by formula, so that it can be asked of models that no machine at hand could hold.
 *
 * <p>K patches, V values of a patch, D trunk width, L trunk blocks, h head width, l head blocks, O config.predictedValues() per patch, N tokens
 * that the trunk reads in training, R rows whose prediction the loss counts (its mean over the drawn prefixes), A pairs
 * (query, key) that the mask lets through (its mean too). A multiplication with its addition counts as 2 FLOPs; only matrix
 * products are counted.
 *
 * <pre>
 * embedding      2·N·V·D
 * trunk          (L-1)·(24·D²·N + 4·D·A)  +  6·D²·N + 4·D·A + 18·D²·R     of the last block only the counted rows go on
 * mlp head       R·(2·D·h + l·16·h² + 2·h·O)
 * transformer    N·(2·D·h) + l·(24·h²·N + 4·h·A) + R·2·h·O,  and the last trunk block in full
 * no head        R·2·D·O
 * tokens         R·2·V·O more to find the targets, without a backward pass
 * training       3 x forward, less the embedding's gradient with respect to the pixels
 * </pre>
 *
 * @param config the model; O is its {@link AimConfig#predictedValues()}
 */
public record AimCost(AimConfig config) {
    private static final int FLOAT_BYTES = 4;
    private static final int HALF_BYTES = 2;

    /** Up to so many tokens the program forms the attention matrix; beyond, a fused kernel keeps one number per row. */
    private static final int PLAIN_ATTENTION_TOKENS = 64;

    /** To which half of a checkpoint a parameter belongs. */
    public enum Part {
        TRUNK,
        HEAD
    }

    /**
     * Parameters of one shape.
     *
     * @param name checkpoint name; {@code *} stands for 0 … count-1
     * @param shape sizes, outermost first
     * @param count how many there are
     */
    public record Group(Part part, String name, List<Integer> shape, int count) {
        public Group {
            shape = List.copyOf(shape);
        }

        /** Values of all of them together. */
        public long parameters() {
            long values = count;
            for (int size : shape) {
                values = Math.multiplyExact(values, size);
            }
            return values;
        }
    }

    // ---- parameters ---------------------------------------------------------------------------------------------

    /** Every parameter, in checkpoint order. */
    public List<Group> groups() {
        List<Group> groups = new ArrayList<>();
        int d = config.trunk().dim();
        int blocks = config.trunk().blocks();
        int patch = config.patchSize();
        groups.add(new Group(
                Part.TRUNK, "preprocessor.patchifier.proj.weight", List.of(d, config.channels(), patch, patch), 1));
        groups.add(new Group(Part.TRUNK, "preprocessor.patchifier.proj.bias", List.of(d), 1));
        norm(groups, Part.TRUNK, "preprocessor.patchifier.norm", d, 1);
        block(groups, Part.TRUNK, "trunk.blocks.*", d, blocks, true);
        norm(groups, Part.TRUNK, "trunk.post_trunk_norm", d, 1);
        head(groups, d);
        return List.copyOf(groups);
    }

    private void head(List<Group> groups, int d) {
        if (config.objective().kind() == Objective.Kind.MASKED) {
            groups.add(new Group(Part.HEAD, "head.mask_token", List.of(d), 1));
        }
        int h = headWidth();
        if (config.head().kind() != AimConfig.Head.Kind.NONE) {
            groups.add(new Group(Part.HEAD, "head.decoder_projection.weight", List.of(h, d), 1));
            groups.add(new Group(Part.HEAD, "head.decoder_projection.bias", List.of(h), 1));
            block(groups, Part.HEAD, "head.decoder_blocks.*", h, config.head().blocks(), transformerHead());
            norm(groups, Part.HEAD, "head.decoder_norm", h, 1);
        }
        groups.add(new Group(Part.HEAD, "head.decoder_pred.weight", List.of(config.predictedValues(), h), 1));
        groups.add(new Group(Part.HEAD, "head.decoder_pred.bias", List.of(config.predictedValues()), 1));
    }

    private static void block(List<Group> groups, Part part, String name, int width, int count, boolean attention) {
        if (count == 0) {
            return;
        }
        norm(groups, part, name + ".norm_1", width, count);
        if (attention) {
            groups.add(new Group(part, name + ".attn.qkv.weight", List.of(3 * width, width), count));
            groups.add(new Group(part, name + ".attn.proj.weight", List.of(width, width), count));
        }
        norm(groups, part, name + ".norm_2", width, count);
        groups.add(new Group(part, name + ".mlp.fc1.weight", List.of(4 * width, width), count));
        groups.add(new Group(part, name + ".mlp.fc2.weight", List.of(width, 4 * width), count));
    }

    private static void norm(List<Group> groups, Part part, String name, int width, int count) {
        groups.add(new Group(part, name + ".weight", List.of(width), count));
        groups.add(new Group(part, name + ".bias", List.of(width), count));
    }

    public long parameters(Part part) {
        return groups().stream()
                .filter(group -> group.part() == part)
                .mapToLong(Group::parameters)
                .sum();
    }

    public long parameters() {
        return parameters(Part.TRUNK) + parameters(Part.HEAD);
    }

    // ---- tokens and attention -------------------------------------------------------------------------------------

    /** N: all patches, or all but the last where it would predict nothing. */
    public int tokens() {
        return masked() ? config.patches() : config.patches() - 1;
    }

    /** R: mean number of predictions that the loss counts per image. */
    public double predictedPatches() {
        int k = config.patches();
        if (masked()) {
            return config.objective().hidden(k);
        }
        // The prefix S is uniform in 1..K-1 and K-S patches are counted; causal attention counts all but the first.
        return causal() ? k - 1 : k / 2.0;
    }

    /** A: mean number of pairs (query, key) per image, block and head that the mask of the training lets through. */
    public double visiblePairs() {
        double n = tokens();
        if (masked()) {
            return n * n;
        }
        double lower = n * (n + 1) / 2;
        // A prefix S shows S(S-1)/2 pairs above the diagonal; the mean over S = 1..N is (N²-1)/6.
        return causal() ? lower : lower + (n * n - 1) / 6;
    }

    /** Pairs that a matrix product computes before the mask hides some: N². */
    public double densePairs() {
        double n = tokens();
        return n * n;
    }

    // ---- FLOPs per image --------------------------------------------------------------------------------------------

    /** One image forward through the loss, attention counted under the mask. */
    public double forwardFlops() {
        return forwardFlops(visiblePairs());
    }

    /** One image forward and backward, attention counted under the mask, nothing computed twice. */
    public double trainingFlops() {
        return trainingFlops(visiblePairs());
    }

    /** The same where attention computes every pair and hides some afterwards. */
    public double denseTrainingFlops() {
        return trainingFlops(densePairs());
    }

    /** What a training step with every trunk block computed twice adds to an image. */
    public double recomputedFlops() {
        return trunkFlops(visiblePairs());
    }

    /** Frozen features of one image: embedding and trunk over all patches, bidirectional attention. */
    public double featureFlops() {
        double k = config.patches();
        double d = config.trunk().dim();
        return 2 * k * config.patchValues() * d + config.trunk().blocks() * blockFlops(d, k, k * k);
    }

    private double trainingFlops(double pairs) {
        return 3 * (forwardFlops(pairs) - targetFlops()) - embeddingFlops() + targetFlops();
    }

    private double forwardFlops(double pairs) {
        return embeddingFlops() + trunkFlops(pairs) + headFlops(pairs) + targetFlops();
    }

    private double embeddingFlops() {
        return 2.0 * tokens() * config.patchValues() * config.trunk().dim();
    }

    private double trunkFlops(double pairs) {
        double d = config.trunk().dim();
        double n = tokens();
        double last = transformerHead()
                ? blockFlops(d, n, pairs)
                : 6 * d * d * n + 4 * d * pairs + 18 * d * d * predictedPatches();
        return (config.trunk().blocks() - 1) * blockFlops(d, n, pairs) + last;
    }

    private static double blockFlops(double width, double tokens, double pairs) {
        return 24 * width * width * tokens + 4 * width * pairs;
    }

    private double headFlops(double pairs) {
        double d = config.trunk().dim();
        double h = headWidth();
        double rows = predictedPatches();
        double prediction = 2 * rows * h * config.predictedValues();
        return switch (config.head().kind()) {
            case NONE -> prediction;
            case MLP -> rows * (2 * d * h + config.head().blocks() * 16 * h * h) + prediction;
            case TRANSFORMER ->
                tokens() * 2 * d * h + config.head().blocks() * blockFlops(h, tokens(), pairs) + prediction;
        };
    }

    private double targetFlops() {
        return config.objective().target() == Objective.Target.TOKENS
                ? 2 * predictedPatches() * config.patchValues() * config.predictedValues()
                : 0;
    }

    // ---- bytes
    // --------------------------------------------------------------------------------------------------------

    /** Float32 master weights. */
    public long weightBytes() {
        return FLOAT_BYTES * parameters();
    }

    /** Float32 gradients. */
    public long gradientBytes() {
        return FLOAT_BYTES * parameters();
    }

    /** AdamW's two float32 moments. */
    public long optimizerBytes() {
        return 2 * FLOAT_BYTES * parameters();
    }

    /** The matrices once more in the type of the products, for the duration of a step. */
    public long castBytes(Precision precision) {
        if (precision == Precision.FP32) {
            return 0;
        }
        return groups().stream()
                .filter(group -> group.shape().size() > 1)
                .mapToLong(group -> HALF_BYTES * group.parameters())
                .sum();
    }

    /**
     * What the backward pass of a micro-batch needs to find again. Per token a trunk block keeps its input and its sum after
     * attention in float32 (8·D bytes) and 14·D values in the type of the products: two norms, qkv, attention, and the MLP
     * before and after GELU. An mlp head block keeps 8·h bytes and 9·h values per counted row.
     *
     * @param microBatch images
     * @param checkpointing whether blocks keep their input alone and are computed again, one at a time
     */
    public double activationBytes(int microBatch, Precision precision, boolean checkpointing) {
        double e = precision == Precision.FP32 ? FLOAT_BYTES : HALF_BYTES;
        double n = tokens();
        double d = config.trunk().dim();
        int blocks = config.trunk().blocks();
        double block = n * d * (8 + 14 * e) + config.trunk().heads() * attentionBytes(n, e);
        double embedding = n * (config.patchValues() * FLOAT_BYTES + d * FLOAT_BYTES);
        double trunk = checkpointing ? blocks * n * d * FLOAT_BYTES + block : blocks * block;
        double mask = masked() ? 0 : n * n * e;
        return microBatch * (embedding + mask + trunk + headBytes(e));
    }

    private double headBytes(double e) {
        double rows = predictedPatches();
        double d = config.trunk().dim();
        double h = headWidth();
        double prediction = rows * config.predictedValues() * (e + 2 * FLOAT_BYTES);
        double norm = d * (FLOAT_BYTES + e);
        return switch (config.head().kind()) {
            case NONE -> rows * norm + prediction;
            case MLP -> rows * (norm + config.head().blocks() * h * (8 + 9 * e) + h * (FLOAT_BYTES + e)) + prediction;
            case TRANSFORMER ->
                tokens() * (norm + h * (FLOAT_BYTES + e))
                        + config.head().blocks()
                                * (tokens() * h * (8 + 14 * e) + config.trunk().heads() * attentionBytes(tokens(), e))
                        + prediction;
        };
    }

    /** Of one head: the matrix, or one float32 per row where a fused kernel forms it again. */
    private static double attentionBytes(double tokens, double e) {
        return tokens <= PLAIN_ATTENTION_TOKENS ? tokens * tokens * e : tokens * FLOAT_BYTES;
    }

    /** Float32 gradients that a rank sends per step: reduce-scatter and all-gather, 2·(w-1)/w of all of them. */
    public double communicationBytes(int ranks) {
        if (ranks < 1) {
            throw new IllegalArgumentException("there must be at least one rank but there are " + ranks);
        }
        return 2.0 * (ranks - 1) / ranks * gradientBytes();
    }

    // ---- the choices that change the formulas
    // ---------------------------------------------------------------------------

    private int headWidth() {
        return config.head().kind() == AimConfig.Head.Kind.NONE
                ? config.trunk().dim()
                : config.head().dim();
    }

    private boolean transformerHead() {
        return config.head().kind() == AimConfig.Head.Kind.TRANSFORMER;
    }

    private boolean masked() {
        return config.objective().kind() == Objective.Kind.MASKED;
    }

    private boolean causal() {
        return config.objective().attention() == Objective.Attention.CAUSAL;
    }
}
