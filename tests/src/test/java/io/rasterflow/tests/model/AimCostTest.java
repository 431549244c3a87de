package io.rasterflow.tests.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.rasterflow.model.Precision;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.AimConfig.Head;
import io.rasterflow.model.aim.AimConfig.Trunk;
import io.rasterflow.model.aim.AimCost;
import io.rasterflow.model.aim.AimCost.Part;
import io.rasterflow.model.aim.AimLayout;
import io.rasterflow.model.aim.Objective;
import io.rasterflow.model.aim.Prefix;
import io.rasterflow.model.program.ParameterLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The formulas against numbers computed by hand, against the layout that is really built, and against the paper's table. */
class AimCostTest {

    private static final Objective TOKENS = new Objective(
            Objective.Kind.AUTOREGRESSIVE,
            0.5,
            Objective.Target.TOKENS,
            50,
            "fifty.safetensors",
            Objective.Order.RASTER,
            Objective.Attention.PREFIX);

    /** K = 4 patches of V = 16 values, D = 8, L = 2, h = 4, l = 1. */
    private static AimConfig small(Head.Kind kind, Objective objective) {
        return new AimConfig(8, 4, 1, new Trunk(8, 2, 2), new Head(kind, 4, 1), objective, 1e-6);
    }

    private static Objective objective(Objective.Kind kind, Objective.Attention attention) {
        return new Objective(kind, 0.5, Objective.Target.NORMALISED, 0, "", Objective.Order.RASTER, attention);
    }

    @Test
    void parametersOfASmallModelByHand() {
        AimCost cost = new AimCost(small(Head.Kind.MLP, Objective.PAPER));
        // 16·8+8 and its norm 16; two blocks of 12·8² + 4·8; last norm 16
        assertEquals(136 + 16 + 2 * 800 + 16, cost.parameters(Part.TRUNK));
        // 8·4+4; one block of 8·4² + 4·4; norm 8; 4·16+16
        assertEquals(36 + 144 + 8 + 80, cost.parameters(Part.HEAD));
        assertEquals(2036, cost.parameters());
        assertEquals(8144, cost.weightBytes());
        assertEquals(8144, cost.gradientBytes());
        assertEquals(16288, cost.optimizerBytes());
        assertEquals(0, cost.castBytes(Precision.FP32));
        // matrices: 128 + 2·768 in the trunk, 32 + 128 + 64 in the head
        assertEquals(2 * (128 + 1536 + 224), cost.castBytes(Precision.BF16));
    }

    @Test
    void headsByHand() {
        assertEquals(8 * 16 + 16, new AimCost(small(Head.Kind.NONE, Objective.PAPER)).parameters(Part.HEAD));
        assertEquals(
                36 + (12 * 16 + 16) + 8 + 80,
                new AimCost(small(Head.Kind.TRANSFORMER, Objective.PAPER)).parameters(Part.HEAD));
        Objective masked = objective(Objective.Kind.MASKED, Objective.Attention.PREFIX);
        assertEquals(268 + 8, new AimCost(small(Head.Kind.MLP, masked)).parameters(Part.HEAD));
        assertEquals(
                36 + 144 + 8 + 4 * 50 + 50,
                new AimCost(small(Head.Kind.MLP, TOKENS)).parameters(Part.HEAD),
                "50 tokens");
    }

    @Test
    void flopsOfASmallModelByHand() {
        AimCost cost = new AimCost(small(Head.Kind.MLP, Objective.PAPER));
        // The prefixes 1, 2, 3 show 6, 7 and 9 pairs of 3 tokens and leave 3, 2 and 1 patches to predict.
        double pairs = (6 + 7 + 9) / 3.0;
        assertEquals(3, cost.tokens());
        assertEquals(pairs, cost.visiblePairs(), 1e-12);
        assertEquals(2, cost.predictedPatches(), 1e-12);
        double embedding = 2 * 3 * 16 * 8;
        double trunk = 24 * 64 * 3 + 32 * pairs + (6 * 64 * 3 + 32 * pairs + 18 * 64 * 2);
        double head = 2 * (2 * 8 * 4 + 16 * 16 + 2 * 4 * 16);
        assertEquals(embedding + trunk + head, cost.forwardFlops(), 1e-9);
        assertEquals(2 * embedding + 3 * (trunk + head), cost.trainingFlops(), 1e-9);
        assertEquals(3 * 2 * 32 * (9 - pairs), cost.denseTrainingFlops() - cost.trainingFlops(), 1e-9);
        assertEquals(trunk, cost.recomputedFlops(), 1e-9);
        assertEquals(2 * 4 * 16 * 8 + 2 * (24 * 64 * 4 + 32 * 16), cost.featureFlops(), 1e-9);
    }

    @Test
    void causalAndMaskedSeeOtherPairsAndPredictOtherPatches() {
        AimCost causal =
                new AimCost(small(Head.Kind.MLP, objective(Objective.Kind.AUTOREGRESSIVE, Objective.Attention.CAUSAL)));
        assertEquals(6, causal.visiblePairs());
        assertEquals(3, causal.predictedPatches());
        AimCost masked =
                new AimCost(small(Head.Kind.MLP, objective(Objective.Kind.MASKED, Objective.Attention.PREFIX)));
        assertEquals(16, masked.visiblePairs());
        assertEquals(2, masked.predictedPatches());
        assertEquals(4, masked.tokens());
    }

    /** The means over the prefix agree with the prefixes that training draws. */
    @Test
    void meansAgreeWithDrawnPrefixes() {
        AimConfig config = new AimConfig(28, 4, 1, new Trunk(8, 1, 1), new Head(8, 0), 1e-6);
        double pairs = 0;
        double predicted = 0;
        int draws = 20_000;
        for (int i = 0; i < draws; i++) {
            long s = Prefix.draw(i * 0x9E3779B97F4A7C15L, config.patches());
            predicted += config.patches() - s;
            for (int query = 0; query < config.patches() - 1; query++) {
                pairs += Math.max(query + 1, s);
            }
        }
        AimCost cost = new AimCost(config);
        assertEquals(1, pairs / draws / cost.visiblePairs(), 0.01);
        assertEquals(1, predicted / draws / cost.predictedPatches(), 0.02);
    }

    @Test
    void activationsAndCommunicationByHand() {
        AimCost cost = new AimCost(small(Head.Kind.MLP, Objective.PAPER));
        double embedding = 3 * (16 * 4 + 8 * 4);
        double mask = 9 * 2;
        double block = 3 * 8 * (8 + 28) + 2 * 9 * 2;
        double head = 2 * (8 * 6 + 4 * (8 + 18) + 4 * 6) + 2 * 16 * (2 + 8);
        assertEquals(5 * (embedding + mask + 2 * block + head), cost.activationBytes(5, Precision.BF16, false), 1e-9);
        assertEquals(
                5 * (embedding + mask + 2 * 3 * 8 * 4 + block + head),
                cost.activationBytes(5, Precision.BF16, true),
                1e-9);
        assertEquals(0, cost.communicationBytes(1));
        assertEquals(8144, cost.communicationBytes(2));
        assertEquals(1.5 * 8144, cost.communicationBytes(4));
        assertThrows(IllegalArgumentException.class, () -> cost.communicationBytes(0));
    }

    @Test
    void tokensCostTheSearchForTheirTargetsOnce() {
        AimCost pixels = new AimCost(small(Head.Kind.MLP, Objective.PAPER));
        AimCost tokens = new AimCost(small(Head.Kind.MLP, TOKENS));
        double prediction = 2 * 2 * 4 * (50 - 16);
        double search = 2 * 2 * 16 * 50;
        assertEquals(prediction + search, tokens.forwardFlops() - pixels.forwardFlops(), 1e-9);
        assertEquals(3 * prediction + search, tokens.trainingFlops() - pixels.trainingFlops(), 1e-9);
    }

    static List<AimConfig> everyKind() {
        List<AimConfig> configs = new ArrayList<>();
        for (Head.Kind kind : Head.Kind.values()) {
            for (Objective.Kind objective : Objective.Kind.values()) {
                configs.add(small(kind, objective(objective, Objective.Attention.PREFIX)));
            }
            configs.add(small(kind, TOKENS));
        }
        return configs;
    }

    @ParameterizedTest
    @MethodSource("everyKind")
    void groupsAreThoseOfTheLayout(AimConfig config) {
        Map<String, Object> expected = new TreeMap<>();
        ParameterLayout layout = AimLayout.of(config);
        layout.slots().forEach(slot -> expected.put(slot.name(), slot.shape()));
        Map<String, Object> groups = new TreeMap<>();
        for (AimCost.Group group : new AimCost(config).groups()) {
            for (int i = 0; i < group.count(); i++) {
                groups.put(group.name().replace("*", Integer.toString(i)), group.shape());
            }
        }
        assertEquals(expected, groups);
    }

    /** The paper's table: parameters of the trunk in billions, to two digits after the point. */
    @ParameterizedTest
    @CsvSource({"1536, 24, 12, 0.68", "2048, 24, 16, 1.21", "3072, 24, 24, 2.72", "4096, 32, 32, 6.44"})
    void trunksHaveThePapersSizes(int dim, int blocks, int heads, double billions) {
        AimConfig config = new AimConfig(224, 14, 3, new Trunk(dim, blocks, heads), new Head(2048, 12), 1e-5);
        long blocksAlone = new AimCost(config)
                .groups().stream()
                        .filter(group -> group.name().startsWith("trunk.blocks."))
                        .mapToLong(AimCost.Group::parameters)
                        .sum();
        assertEquals(billions, Math.round(blocksAlone / 1e7) / 100.0, 1e-9);
        // Embedding and last norm add less than 0.2 %.
        assertEquals(1, (double) new AimCost(config).parameters(Part.TRUNK) / blocksAlone, 0.002);
        // "About 0.4 B" for the head.
        assertEquals(0.41e9, new AimCost(config).parameters(Part.HEAD), 0.01e9);
    }
}
