package io.rasterflow.cli;

import io.rasterflow.config.RunConfig;
import io.rasterflow.model.Precision;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.AimCost;
import io.rasterflow.model.aim.AimCost.Part;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What {@code rasterflow model describe} prints.
 *
 * @param microBatch images of one forward and backward pass
 * @param precision of the matrix products, resolved
 * @param flops FLOP/s in training
 * @param ranks world size
 */
record ModelReport(RunConfig config, AimCost cost, int microBatch, Precision precision, double flops, int ranks) {

    private static final double SECONDS_PER_DAY = 86_400;

    void print(PrintStream out) {
        AimConfig model = config.model();
        out.printf(
                Locale.ROOT,
                "%s: %d px, %d patches of %d values, trunk %d wide, %d blocks, %d heads; head %s%n%n",
                config.name(),
                model.imageSize(),
                model.patches(),
                model.patchValues(),
                model.trunk().dim(),
                model.trunk().blocks(),
                model.trunk().heads(),
                head(model));
        out.printf("  %-42s %-18s %6s %16s%n", "parameters", "shape", "times", "values");
        for (AimCost.Group group : cost.groups()) {
            String shape = group.shape().toString().replaceAll("[\\[\\]]", "").replace(", ", " x ");
            out.printf(
                    Locale.ROOT, "  %-42s %-18s %6d %,16d%n", group.name(), shape, group.count(), group.parameters());
        }
        total(out, "trunk", cost.parameters(Part.TRUNK));
        total(out, "head", cost.parameters(Part.HEAD));
        total(out, "total", cost.parameters());
        out.println();
        work(out);
        memory(out);
        speed(out);
    }

    private static String head(AimConfig model) {
        String kind = model.head().kind().toString().toLowerCase(Locale.ROOT);
        return model.head().kind() == AimConfig.Head.Kind.NONE
                ? kind
                : kind + ", " + model.head().dim() + " wide, " + model.head().blocks() + " blocks";
    }

    private static void total(PrintStream out, String what, long parameters) {
        out.printf(Locale.ROOT, "  %-42s %-18s %6s %,16d  = %s%n", what, "", "", parameters, count(parameters));
    }

    private void work(PrintStream out) {
        line(out, "forward", "%s per image, matrix products alone (2 FLOPs a multiply-add)", flop(cost.forwardFlops()));
        line(out, "training", "%s per image: 3 x forward, less the gradient of the pixels", flop(cost.trainingFlops()));
        line(
                out,
                "attention",
                "%,.0f of %,.0f pairs are visible on average; computed densely: %s per image",
                cost.visiblePairs(),
                cost.densePairs(),
                flop(cost.denseTrainingFlops()));
        line(out, "predictions", "%.1f of %d patches per image on average", cost.predictedPatches(), cost.tokens());
        line(out, "features", "%s per image", flop(cost.featureFlops()));
        out.println();
    }

    private void memory(PrintStream out) {
        line(
                out,
                "state",
                "weights %s, gradients %s, moments %s, weights cast for a step %s",
                bytes(cost.weightBytes()),
                bytes(cost.gradientBytes()),
                bytes(cost.optimizerBytes()),
                bytes(cost.castBytes(precision)));
        line(
                out,
                "activations",
                "%s for a micro-batch of %d in %s; %s with every block computed twice (+%.0f %% FLOPs)",
                bytes(cost.activationBytes(microBatch, precision, false)),
                microBatch,
                precision.toString().toLowerCase(Locale.ROOT),
                bytes(cost.activationBytes(microBatch, precision, true)),
                100 * cost.recomputedFlops() / cost.trainingFlops());
        line(
                out,
                "exchange",
                "%s per step and rank among %d ranks; %s at most among many",
                bytes(cost.communicationBytes(ranks)),
                ranks,
                bytes(2.0 * cost.gradientBytes()));
        out.println();
    }

    private void speed(PrintStream out) {
        line(out, "speed", "%s images/s at %.3g FLOP/s in training", rate(imagesPerSecond()), flops);
        line(
                out,
                "whole run",
                "%,d steps of %,d = %.4g images, %s, %s at that rate",
                config.train().steps(),
                config.train().batch(),
                images(),
                flop(runFlops()),
                time(runFlops() / flops));
    }

    private double imagesPerSecond() {
        return flops / cost.trainingFlops();
    }

    private double images() {
        return (double) config.train().steps() * config.train().batch();
    }

    private double runFlops() {
        return images() * cost.trainingFlops();
    }

    Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", config.name());
        Map<String, Object> groups = new LinkedHashMap<>();
        for (AimCost.Group group : cost.groups()) {
            groups.put(
                    group.name(),
                    Map.of("shape", group.shape(), "count", group.count(), "parameters", group.parameters()));
        }
        fields.put("groups", groups);
        fields.put("trunkParameters", cost.parameters(Part.TRUNK));
        fields.put("headParameters", cost.parameters(Part.HEAD));
        fields.put("parameters", cost.parameters());
        fields.put("forwardFlops", cost.forwardFlops());
        fields.put("trainingFlops", cost.trainingFlops());
        fields.put("denseTrainingFlops", cost.denseTrainingFlops());
        fields.put("featureFlops", cost.featureFlops());
        fields.put("weightBytes", cost.weightBytes());
        fields.put("gradientBytes", cost.gradientBytes());
        fields.put("optimizerBytes", cost.optimizerBytes());
        fields.put("castBytes", cost.castBytes(precision));
        fields.put("microBatch", microBatch);
        fields.put("precision", precision.toString().toLowerCase(Locale.ROOT));
        fields.put("activationBytes", cost.activationBytes(microBatch, precision, false));
        fields.put("checkpointedActivationBytes", cost.activationBytes(microBatch, precision, true));
        fields.put("ranks", ranks);
        fields.put("communicationBytes", cost.communicationBytes(ranks));
        fields.put("flops", flops);
        fields.put("imagesPerSecond", imagesPerSecond());
        fields.put("images", images());
        fields.put("runFlops", runFlops());
        fields.put("runSeconds", runFlops() / flops);
        return fields;
    }

    private static void line(PrintStream out, String what, String format, Object... values) {
        out.printf(Locale.ROOT, "  %-12s %s%n", what, String.format(Locale.ROOT, format, values));
    }

    /** Such as 1.21 B. */
    static String count(double value) {
        return scaled(value, 1000, new String[] {"", "k", "M", "B", "T"});
    }

    private static String flop(double value) {
        return scaled(
                value, 1000, new String[] {"FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP", "ZFLOP"});
    }

    static String bytes(double value) {
        return scaled(value, 1024, new String[] {"B", "KiB", "MiB", "GiB", "TiB"});
    }

    private static String rate(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.3g" : "%,.0f", value);
    }

    private static String time(double seconds) {
        return seconds < 3600
                ? String.format(Locale.ROOT, "%.1f minutes", seconds / 60)
                : seconds < 2 * SECONDS_PER_DAY
                        ? String.format(Locale.ROOT, "%.1f hours", seconds / 3600)
                        : String.format(Locale.ROOT, "%,.0f days", seconds / SECONDS_PER_DAY);
    }

    private static String scaled(double value, double step, String[] units) {
        double scaled = value;
        int unit = 0;
        while (scaled >= step && unit < units.length - 1) {
            scaled /= step;
            unit++;
        }
        return String.format(
                        Locale.ROOT,
                        scaled < 10 ? "%.2f %s" : scaled < 100 ? "%.1f %s" : "%.0f %s",
                        scaled,
                        units[unit])
                .strip();
    }
}
