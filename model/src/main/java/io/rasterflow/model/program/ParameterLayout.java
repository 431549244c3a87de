package io.rasterflow.model.program;

import io.rasterflow.model.checkpoint.Tensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Where each parameter lies in flat float32 storage, a few large tensors called buckets.
 *
 * <pre>
 * bucket 0                                                      bucket 1
 * | matrix | pad | matrix | pad | ... | vector | pad | ... |    | matrix | pad | ...
 * 0                                   decayedFloats    floats    0
 * </pre>
 *
 * <p>A model is a chain of groups of parameters (embedding, blocks, head) in the order of its forward pass; a bucket is a
 * run of whole groups, so that the gradients of the last bucket are complete while the first are still computed. Inside a
 * bucket matrices (weight decay) come before one-dimensional parameters (none), so that the optimizer runs on two slices
 * of each. Every parameter starts at a multiple of 16 floats: matrix kernels may round differently at other alignments,
 * and replicas must agree to the bit.
 */
public final class ParameterLayout {
    /** A bucket takes further groups as long as it stays below 32 MiB. */
    private static final long BUCKET_FLOATS = 8L << 20;

    private static final int ALIGNMENT = 16;

    /**
     * @param name checkpoint name
     * @param shape sizes, outermost first
     * @param group of parameters that it belongs to
     * @param bucket that holds it
     * @param offset of the first value in its bucket, in floats
     */
    public record Slot(String name, List<Integer> shape, int group, int bucket, int offset) {
        /** Values, padding excluded. */
        public int size() {
            return shape.stream().reduce(1, Math::multiplyExact);
        }

        /** Whether weight decay applies. */
        public boolean decayed() {
            return shape.size() > 1;
        }
    }

    /**
     * @param firstGroup that it holds
     * @param endGroup the one behind its last group
     * @param decayedFloats floats of the decayed part, padding included
     * @param floats floats altogether, padding included
     */
    public record Bucket(int firstGroup, int endGroup, int decayedFloats, int floats) {}

    private final List<Slot> slots = new ArrayList<>();
    private final List<Bucket> buckets = new ArrayList<>();

    private ParameterLayout() {}

    /**
     * Lays out groups of named shapes in the order of the forward pass.
     *
     * @throws IllegalArgumentException if one group does not fit one tensor of 2³¹ - 1 bytes
     */
    public static ParameterLayout of(List<LinkedHashMap<String, List<Integer>>> groups) {
        ParameterLayout layout = new ParameterLayout();
        int first = 0;
        while (first < groups.size()) {
            int end = first + 1;
            long floats = floats(groups.get(first));
            while (end < groups.size() && floats + floats(groups.get(end)) < BUCKET_FLOATS) {
                floats += floats(groups.get(end));
                end++;
            }
            if (floats * Float.BYTES > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(
                        "one block of the model has " + floats
                                + " parameters, but at most 536,870,911 fit a tensor; reduce model.trunk.dim or model.head.dim");
            }
            layout.addBucket(groups, first, end);
            first = end;
        }
        return layout;
    }

    private void addBucket(List<LinkedHashMap<String, List<Integer>>> groups, int first, int end) {
        int decayed = place(groups, first, end, true, 0);
        int floats = place(groups, first, end, false, decayed);
        buckets.add(new Bucket(first, end, decayed, floats));
    }

    private int place(
            List<LinkedHashMap<String, List<Integer>>> groups, int first, int end, boolean decayed, int start) {
        int offset = start;
        for (int group = first; group < end; group++) {
            for (Map.Entry<String, List<Integer>> shape : groups.get(group).entrySet()) {
                if (shape.getValue().size() > 1 == decayed) {
                    slots.add(new Slot(shape.getKey(), List.copyOf(shape.getValue()), group, buckets.size(), offset));
                    offset += (int) padded(shape.getValue());
                }
            }
        }
        return offset;
    }

    private static long floats(Map<String, List<Integer>> group) {
        return group.values().stream().mapToLong(ParameterLayout::padded).sum();
    }

    private static long padded(List<Integer> shape) {
        long size = shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
        return Math.floorDiv(size + ALIGNMENT - 1, ALIGNMENT) * ALIGNMENT;
    }

    /** Parameters by ascending bucket and offset. */
    public List<Slot> slots() {
        return Collections.unmodifiableList(slots);
    }

    /** The parameters of one bucket. */
    public List<Slot> slots(int bucket) {
        return slots.stream().filter(slot -> slot.bucket() == bucket).toList();
    }

    public List<Bucket> buckets() {
        return Collections.unmodifiableList(buckets);
    }

    /** Floats of all buckets, padding included. */
    public long floats() {
        return buckets.stream().mapToLong(Bucket::floats).sum();
    }

    /** Values of all parameters, padding excluded. */
    public long parameters() {
        return slots.stream().mapToLong(Slot::size).sum();
    }

    /** Attributes {@code names}, {@code shapes}, {@code offsets}, {@code buckets} and {@code groups} of a program. */
    public Map<String, Object> attributes() {
        return Map.of(
                "names", slots.stream().map(Slot::name).toList(),
                "shapes", slots.stream().map(Slot::shape).toList(),
                "offsets", slots.stream().map(Slot::offset).toList(),
                "buckets", slots.stream().map(Slot::bucket).toList(),
                "groups", slots.stream().map(Slot::group).toList());
    }

    /** Zeros of every bucket's size. */
    public List<float[]> zeros() {
        return buckets.stream().map(bucket -> new float[bucket.floats()]).toList();
    }

    /**
     * Lays named tensors side by side, one array per bucket, padding zero.
     *
     * @throws IllegalArgumentException naming the first tensor that is missing, superfluous or of another shape
     */
    public List<float[]> flatten(SortedMap<String, Tensor> tensors) {
        List<float[]> flat = zeros();
        for (Slot slot : slots) {
            Tensor tensor = tensors.get(slot.name());
            long[] expected =
                    slot.shape().stream().mapToLong(Integer::longValue).toArray();
            if (tensor == null) {
                throw new IllegalArgumentException("tensor " + slot.name() + " " + Arrays.toString(expected)
                        + " is missing; the weights belong to another architecture");
            }
            if (!Arrays.equals(tensor.shape(), expected)) {
                throw new IllegalArgumentException("tensor " + slot.name() + " has shape "
                        + Arrays.toString(tensor.shape()) + " but the configured model has " + Arrays.toString(expected)
                        + "; the weights belong to another architecture");
            }
            tensor.values().duplicate().rewind().get(flat.get(slot.bucket()), slot.offset(), slot.size());
        }
        if (tensors.size() > slots.size()) {
            TreeMap<String, Tensor> superfluous = new TreeMap<>(tensors);
            slots.forEach(slot -> superfluous.remove(slot.name()));
            throw new IllegalArgumentException("tensor " + superfluous.firstKey()
                    + " is not part of the configured model; the weights belong to another architecture");
        }
        return flat;
    }

    /** Named read-only views into one array per bucket. */
    public SortedMap<String, Tensor> unflatten(List<float[]> flat) {
        TreeMap<String, Tensor> tensors = new TreeMap<>();
        for (Slot slot : slots) {
            long[] shape = slot.shape().stream().mapToLong(Integer::longValue).toArray();
            FloatBuffer values = FloatBuffer.wrap(flat.get(slot.bucket()), slot.offset(), slot.size())
                    .slice()
                    .asReadOnlyBuffer();
            tensors.put(slot.name(), new Tensor(shape, values));
        }
        return Collections.unmodifiableSortedMap(tensors);
    }
}
