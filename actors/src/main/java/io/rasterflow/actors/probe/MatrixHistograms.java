package io.rasterflow.actors.probe;

import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.monitoring.event.Histogram;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How the matrices of a snapshot are distributed, and the running averages of their gradients, which AdamW keeps as first
 * moments: block by block, and each matrix outside of the blocks by itself.
 */
final class MatrixHistograms {

    private static final Pattern BLOCK = Pattern.compile("(.*blocks\\.\\d+)\\..*");

    private MatrixHistograms() {}

    static List<Histogram> of(Snapshot snapshot) {
        List<Histogram> all = new ArrayList<>();
        add("weights/", snapshot.weights(), all);
        add("averaged gradients/", snapshot.firstMoments(), all);
        return all;
    }

    private static void add(String kind, SortedMap<String, Tensor> tensors, List<Histogram> all) {
        Map<String, List<FloatBuffer>> parts = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> {
            // Biases and the scales of norms would be a spike of their own.
            if (tensor.shape().length > 1) {
                Matcher block = BLOCK.matcher(name);
                parts.computeIfAbsent(block.matches() ? block.group(1) : name, first -> new ArrayList<>())
                        .add(tensor.values());
            }
        });
        parts.forEach((name, values) -> Histogram.of(kind + name, values).ifPresent(all::add));
    }
}
