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
 * Where each parameter lies in one flat float32 tensor.
 *
 * <pre>
 * | matrix | pad | matrix | pad | ... | vector | pad | vector | pad |
 * 0                                    decayedFloats()              floats()
 * </pre>
 *
 * <p>Matrices (weight decay) come before one-dimensional parameters (none), so that the optimizer runs on two slices.
 * Every parameter starts at a multiple of 16 floats: matrix kernels may round differently at other alignments, and
 * replicas must agree to the bit.
 */
public final class ParameterLayout {
    private static final int ALIGNMENT = 16;

    /**
     * @param name checkpoint name
     * @param shape sizes, outermost first
     * @param offset of the first value, in floats
     */
    public record Slot(String name, List<Integer> shape, int offset) {
        /** Values, padding excluded. */
        public int size() {
            return shape.stream().reduce(1, Math::multiplyExact);
        }

        /** Whether weight decay applies. */
        public boolean decayed() {
            return shape.size() > 1;
        }
    }

    private final List<Slot> slots;
    private final int decayedFloats;
    private final int floats;

    private ParameterLayout(List<Slot> slots, int decayedFloats, int floats) {
        this.slots = Collections.unmodifiableList(slots);
        this.decayedFloats = decayedFloats;
        this.floats = floats;
    }

    /**
     * Lays out the parameters in the given order, matrices first.
     *
     * @throws IllegalArgumentException if they do not fit one tensor of 2³¹ - 1 bytes
     */
    public static ParameterLayout of(LinkedHashMap<String, List<Integer>> shapes) {
        List<Slot> slots = new ArrayList<>();
        long end = place(shapes, true, 0, slots);
        long decayed = end;
        end = place(shapes, false, end, slots);
        if (end * Float.BYTES > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("the model has " + end
                    + " parameters, but a replica holds at most 536,870,911; reduce model.trunk or model.head");
        }
        return new ParameterLayout(slots, (int) decayed, (int) end);
    }

    private static long place(Map<String, List<Integer>> shapes, boolean decayed, long start, List<Slot> slots) {
        long end = start;
        for (Map.Entry<String, List<Integer>> shape : shapes.entrySet()) {
            if (shape.getValue().size() > 1 == decayed) {
                long size =
                        shape.getValue().stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
                slots.add(new Slot(shape.getKey(), List.copyOf(shape.getValue()), (int) end));
                end += Math.floorDiv(size + ALIGNMENT - 1, ALIGNMENT) * ALIGNMENT;
            }
        }
        return end;
    }

    /** Parameters by ascending offset. */
    public List<Slot> slots() {
        return slots;
    }

    /** Floats of the decayed part, padding included. */
    public int decayedFloats() {
        return decayedFloats;
    }

    /** Floats altogether, padding included. */
    public int floats() {
        return floats;
    }

    /** Attributes {@code names}, {@code shapes}, {@code offsets} and {@code floats} of a program. */
    public Map<String, Object> attributes() {
        return Map.of(
                "names", slots.stream().map(Slot::name).toList(),
                "shapes", slots.stream().map(Slot::shape).toList(),
                "offsets", slots.stream().map(Slot::offset).toList(),
                "floats", floats);
    }

    /**
     * Lays named tensors side by side, padding zero.
     *
     * @throws IllegalArgumentException naming the first tensor that is missing, superfluous or of another shape
     */
    public float[] flatten(SortedMap<String, Tensor> tensors) {
        float[] flat = new float[floats];
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
            tensor.values().duplicate().rewind().get(flat, slot.offset(), slot.size());
        }
        if (tensors.size() > slots.size()) {
            TreeMap<String, Tensor> superfluous = new TreeMap<>(tensors);
            slots.forEach(slot -> superfluous.remove(slot.name()));
            throw new IllegalArgumentException("tensor " + superfluous.firstKey()
                    + " is not part of the configured model; the weights belong to another architecture");
        }
        return flat;
    }

    /** Named read-only views into a flat array. */
    public SortedMap<String, Tensor> unflatten(float[] flat) {
        TreeMap<String, Tensor> tensors = new TreeMap<>();
        for (Slot slot : slots) {
            long[] shape = slot.shape().stream().mapToLong(Integer::longValue).toArray();
            FloatBuffer values =
                    FloatBuffer.wrap(flat, slot.offset(), slot.size()).slice().asReadOnlyBuffer();
            tensors.put(slot.name(), new Tensor(shape, values));
        }
        return Collections.unmodifiableSortedMap(tensors);
    }
}
