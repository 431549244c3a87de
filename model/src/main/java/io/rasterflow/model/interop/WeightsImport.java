package io.rasterflow.model.interop;

import io.rasterflow.model.Compute;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.AimLayout;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.checkpoint.TensorFile;
import io.rasterflow.model.embed.Embedder;
import io.rasterflow.model.embed.Features;
import io.rasterflow.model.program.ParameterLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Takes over the weights of others: every name, shape and value is checked, and the model that results is tried once
 * before anything is written.
 */
public final class WeightsImport {
    private static final String MASK = "trunk\\.blocks\\.\\d+\\.attn\\.attn_mask";
    private static final double POSITION_TOLERANCE = 1e-4;

    /**
     * What was taken over.
     *
     * @param weights all parameters of the model by checkpoint name
     * @param probe the attentive probe, if the source has one
     * @param report what was found, line by line
     */
    public record Imported(SortedMap<String, Tensor> weights, Optional<ProbeHead> probe, List<String> report) {}

    private final TensorFile source;
    private final AimConfig config;
    private final SortedMap<String, long[]> expected = new TreeMap<>();
    private final SortedMap<String, Tensor> weights = new TreeMap<>();
    private final List<String> report = new ArrayList<>();

    private WeightsImport(TensorFile source, AimConfig config) {
        this.source = source;
        this.config = config;
        for (ParameterLayout.Slot slot : AimLayout.of(config).slots()) {
            expected.put(
                    slot.name(),
                    slot.shape().stream().mapToLong(Integer::longValue).toArray());
        }
    }

    /**
     * @param seed of a pixel head that the source does not have
     * @throws IOException one line, at the first tensor that is missing, superfluous, of another shape or type, or not
     *     finite
     */
    public static Imported run(TensorFile source, AimConfig config, long seed) throws IOException {
        WeightsImport run = new WeightsImport(source, config);
        run.refuseUnknown();
        run.takeTrunk();
        run.takePixelHead(seed);
        run.comparePositions();
        Optional<ProbeHead> probe = run.takeProbe();
        run.tryOut(probe);
        return new Imported(run.weights, probe, run.report);
    }

    private void refuseUnknown() throws IOException {
        for (String name : source.entries().keySet()) {
            boolean known = expected.containsKey(name)
                    || ProbeHead.NAMES.contains(name)
                    || name.equals(ProbeHead.COUNTER)
                    || name.equals(Architecture.POSITIONS)
                    || name.matches(MASK);
            if (!known) {
                throw new IOException(source.file() + " has tensor " + shown(name) + " "
                        + source.entries().get(name) + ", which is no part of an AIM model of "
                        + config.trunk().blocks() + " blocks");
            }
        }
    }

    private void takeTrunk() throws IOException {
        long values = 0;
        for (Map.Entry<String, long[]> parameter : expected.entrySet()) {
            if (MlAim.isTrunk(parameter.getKey())) {
                Tensor tensor = take(parameter.getKey(), parameter.getValue());
                weights.put(parameter.getKey(), tensor);
                values += tensor.values().capacity();
            }
        }
        report.add(String.format(
                Locale.ROOT,
                "trunk        %d tensors, %,d parameters: %d blocks, width %d, %d heads, %d-pixel images, patch %d",
                weights.size(),
                values,
                config.trunk().blocks(),
                config.trunk().dim(),
                config.trunk().heads(),
                config.imageSize(),
                config.patchSize()));
    }

    private void takePixelHead(long seed) throws IOException {
        List<String> names =
                expected.keySet().stream().filter(name -> !MlAim.isTrunk(name)).toList();
        long present = names.stream().filter(source.entries()::containsKey).count();
        SplittableRandom random = new SplittableRandom(seed);
        for (String name : names) {
            long[] shape = expected.get(name);
            weights.put(name, present > 0 ? take(name, shape) : initial(name, shape, random));
        }
        report.add(
                present > 0
                        ? "pixel head   " + names.size() + " tensors"
                        : "pixel head   NOT in the source: " + names.size() + " tensors initialised from seed " + seed
                                + ", untrained; features and probes do not use them");
    }

    /** One tensor, checked. */
    private Tensor take(String name, long[] shape) throws IOException {
        TensorFile.Entry entry = source.entries().get(name);
        if (entry == null) {
            throw new IOException(source.file() + " lacks tensor " + name + " " + Arrays.toString(shape));
        }
        if (!Arrays.equals(entry.shape(), shape)) {
            throw new IOException(source.file() + " has tensor " + name + " as " + entry + " where the model has shape "
                    + Arrays.toString(shape));
        }
        Tensor tensor = source.floats(name);
        FloatBuffer values = tensor.values();
        for (int i = 0; i < values.capacity(); i++) {
            if (!Float.isFinite(values.get(i))) {
                throw new IOException(source.file() + " has " + values.get(i) + " at value " + i + " of tensor " + name
                        + "; the weights are damaged or their training diverged");
            }
        }
        return tensor;
    }

    /** Xavier-uniform matrices, identity norms, zero biases. */
    private static Tensor initial(String name, long[] shape, SplittableRandom random) {
        long size = Arrays.stream(shape).reduce(1, Math::multiplyExact);
        float[] values = new float[Math.toIntExact(size)];
        if (shape.length > 1) {
            double bound = Math.sqrt(6.0 / (shape[0] + (double) size / shape[0]));
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) ((2 * ((random.nextLong() >>> 11) * 0x1p-53) - 1) * bound);
            }
        } else if (name.endsWith(".weight")) {
            Arrays.fill(values, 1f);
        }
        return new Tensor(shape, FloatBuffer.wrap(values).asReadOnlyBuffer());
    }

    /** Positions are computed; a source that stores them must mean the same ones. */
    private void comparePositions() throws IOException {
        if (!source.entries().containsKey(Architecture.POSITIONS)) {
            report.add("positions    fixed sin/cos, computed (the source stores none)");
            return;
        }
        FloatBuffer stored = source.floats(Architecture.POSITIONS).values();
        int dim = config.trunk().dim();
        int grid = config.imageSize() / config.patchSize();
        if (stored.capacity() != config.patches() * dim) {
            throw new IOException(source.file() + " has positions " + Architecture.POSITIONS + " "
                    + source.entries().get(Architecture.POSITIONS) + " where the model has "
                    + config.patches() + " patches of width " + dim);
        }
        double worst = 0;
        for (int i = 0; i < stored.capacity(); i++) {
            double difference = Math.abs(stored.get(i) - position(i / dim, i % dim, grid, dim));
            worst = difference <= worst ? worst : difference; // a NaN becomes the worst
        }
        if (!(worst <= POSITION_TOLERANCE)) {
            throw new IOException(source.file() + " has positions (" + Architecture.POSITIONS
                    + ") that differ from the fixed sin/cos ones of AIM by " + worst
                    + "; models with learned positions cannot be taken over");
        }
        report.add(String.format(Locale.ROOT, "positions    equal to the fixed sin/cos ones within %.1e", worst));
    }

    /** First half of the channels: column; second half: row; sines before cosines in each. */
    private static double position(int patch, int channel, int grid, int dim) {
        int half = dim / 2;
        int at = channel < half ? patch % grid : patch / grid;
        int wave = channel % half;
        double angle = at * Math.pow(10000, -(wave % (half / 2)) / (half / 2.0));
        return wave < half / 2 ? Math.sin(angle) : Math.cos(angle);
    }

    private Optional<ProbeHead> takeProbe() throws IOException {
        TensorFile.Entry linear = source.entries().get(ProbeHead.LINEAR);
        boolean any = ProbeHead.NAMES.stream().anyMatch(source.entries()::containsKey);
        if (!any) {
            report.add("probe head   none in the source");
            return Optional.empty();
        }
        long classes = linear == null || linear.shape().length != 2 ? 1 : linear.shape()[0];
        SortedMap<String, Tensor> tensors = new TreeMap<>();
        for (Map.Entry<String, long[]> tensor :
                ProbeHead.shapes(config.trunk().dim(), classes).entrySet()) {
            tensors.put(tensor.getKey(), take(tensor.getKey(), tensor.getValue()));
        }
        report.add("probe head   attentive, " + classes + " classes");
        return Optional.of(new ProbeHead(tensors));
    }

    /** Features, and logits if there is a head, of one fixed image. */
    private void tryOut(Optional<ProbeHead> probe) throws IOException {
        int values = config.channels() * config.imageSize() * config.imageSize();
        ByteBuffer image = ByteBuffer.allocateDirect(values * Float.BYTES).order(ByteOrder.nativeOrder());
        for (int i = 0; i < values; i++) {
            image.putFloat(i * Float.BYTES, (float) Math.sin(0.37 * i));
        }
        try (Embedder embedder = new Embedder(config, Compute.REFERENCE, weights)) {
            float[] features = embedder.features(image, 1, Features.parse("last6", Features.Pool.NONE, config.trunk()));
            double squares = 0;
            for (float feature : features) {
                squares += (double) feature * feature;
            }
            double size = Math.sqrt(squares / features.length);
            if (!Double.isFinite(size) || size == 0) {
                throw new IOException("the model in " + source.file() + " gives features of size " + size
                        + " for a fixed image; its weights are damaged");
            }
            report.add(String.format(
                    Locale.ROOT, "self-check   features of a fixed image are finite, root mean square %.4g", size));
            if (probe.isPresent()) {
                double[] logits = probe.get().logits(features, config.trunk().heads());
                if (!Arrays.stream(logits).allMatch(Double::isFinite)) {
                    throw new IOException("the probe head in " + source.file()
                            + " gives logits that are not finite for a fixed image; its weights are damaged");
                }
                report.add("self-check   logits of a fixed image are finite");
            }
        }
    }

    private static String shown(String name) {
        String part = name.length() > 120 ? name.substring(0, 120) + "..." : name;
        return part.replaceAll("\\p{Cntrl}", "?");
    }
}
