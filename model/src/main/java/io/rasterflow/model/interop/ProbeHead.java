package io.rasterflow.model.interop;

import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.Tensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * An attentive probe (arXiv 2401.08541, section 4.2) with the names of ml-aim: D width, L labels.
 *
 * <pre>
 * head.cls_token (1, 1, D)    head.k.weight, head.v.weight (D, D)    head.linear.weight (L, D)
 * head.bn.running_mean, head.bn.running_var (D)
 * </pre>
 *
 * <p>It lies beside the weights of a checkpoint, in {@link Checkpoint#PROBE_HEAD}.
 */
public record ProbeHead(SortedMap<String, Tensor> tensors) {
    static final String TOKEN = "head.cls_token";
    static final String KEY = "head.k.weight";
    static final String VALUE = "head.v.weight";
    static final String LINEAR = "head.linear.weight";
    static final String MEAN = "head.bn.running_mean";
    static final String VARIANCE = "head.bn.running_var";

    /** Counts batches of the training; plays no part afterwards. */
    static final String COUNTER = "head.bn.num_batches_tracked";

    static final List<String> NAMES = List.of(TOKEN, KEY, VALUE, LINEAR, MEAN, VARIANCE);

    private static final double EPS = 1e-6;

    public ProbeHead {
        if (!tensors.keySet().equals(Set.copyOf(NAMES))) {
            throw new IllegalArgumentException(
                    "a probe head has the tensors " + NAMES + " but not " + tensors.keySet());
        }
    }

    /** Shapes by name. */
    static SortedMap<String, long[]> shapes(int dim, long classes) {
        return new TreeMap<>(Map.of(
                TOKEN, new long[] {1, 1, dim},
                KEY, new long[] {dim, dim},
                VALUE, new long[] {dim, dim},
                LINEAR, new long[] {classes, dim},
                MEAN, new long[] {dim},
                VARIANCE, new long[] {dim}));
    }

    /** Labels L that it tells apart. */
    public int classes() {
        return Math.toIntExact(tensors.get(LINEAR).shape()[0]);
    }

    /** Writes it into a checkpoint's directory. */
    public void write(Path checkpoint) throws IOException {
        Path temporary = checkpoint.resolve("." + Checkpoint.PROBE_HEAD + ".tmp");
        Files.deleteIfExists(temporary);
        Safetensors.write(temporary, tensors, Map.of("format", "pt"));
        Files.move(temporary, checkpoint.resolve(Checkpoint.PROBE_HEAD), StandardCopyOption.ATOMIC_MOVE);
    }

    /** That of a checkpoint, if it has one. */
    public static Optional<ProbeHead> of(Path checkpoint) throws IOException {
        Path file = checkpoint.resolve(Checkpoint.PROBE_HEAD);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(new ProbeHead(Safetensors.read(file).tensors()));
        } catch (IllegalArgumentException e) {
            throw new IOException(file + " is broken: " + e.getMessage(), e);
        }
    }

    /**
     * Logits (L) of one image.
     *
     * @param features (K, D) row-major
     * @param heads attention heads of the trunk
     */
    public double[] logits(float[] features, int heads) {
        int dim = tensors.get(MEAN).values().capacity();
        int patches = features.length / dim;
        int d = dim / heads;
        float[] x = normalised(features, dim);
        FloatBuffer token = tensors.get(TOKEN).values();
        double[] pooled = new double[dim];
        for (int h = 0; h < heads; h++) {
            // With one query the keys and values need not be formed: score = x . (Wk' q), output = Wv (sum a x).
            double[] query = new double[dim];
            for (int r = h * d; r < (h + 1) * d; r++) {
                addScaledRow(query, tensors.get(KEY).values(), r, token.get(r) / Math.sqrt(d));
            }
            double[] mean = attended(x, query, patches);
            for (int r = h * d; r < (h + 1) * d; r++) {
                pooled[r] = dot(tensors.get(VALUE).values(), r, mean);
            }
        }
        double[] logits = new double[classes()];
        for (int c = 0; c < logits.length; c++) {
            logits[c] = dot(tensors.get(LINEAR).values(), c, pooled);
        }
        return logits;
    }

    private float[] normalised(float[] features, int dim) {
        float[] x = new float[features.length];
        for (int i = 0; i < x.length; i++) {
            int c = i % dim;
            double deviation = Math.sqrt(tensors.get(VARIANCE).values().get(c) + EPS);
            x[i] = (float) ((features[i] - tensors.get(MEAN).values().get(c)) / deviation);
        }
        return x;
    }

    /** The mean of the patches, weighted by the softmax of their products with the query. */
    private static double[] attended(float[] x, double[] query, int patches) {
        int dim = query.length;
        double[] scores = new double[patches];
        double most = Double.NEGATIVE_INFINITY;
        for (int k = 0; k < patches; k++) {
            for (int c = 0; c < dim; c++) {
                scores[k] += x[k * dim + c] * query[c];
            }
            most = Math.max(most, scores[k]);
        }
        double sum = 0;
        double[] mean = new double[dim];
        for (int k = 0; k < patches; k++) {
            double weight = Math.exp(scores[k] - most);
            sum += weight;
            for (int c = 0; c < dim; c++) {
                mean[c] += weight * x[k * dim + c];
            }
        }
        for (int c = 0; c < dim; c++) {
            mean[c] /= sum;
        }
        return mean;
    }

    private static void addScaledRow(double[] into, FloatBuffer matrix, int row, double factor) {
        for (int c = 0; c < into.length; c++) {
            into[c] += factor * matrix.get(row * into.length + c);
        }
    }

    private static double dot(FloatBuffer matrix, int row, double[] vector) {
        double sum = 0;
        for (int c = 0; c < vector.length; c++) {
            sum += matrix.get(row * vector.length + c) * vector[c];
        }
        return sum;
    }
}
