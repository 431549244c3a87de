package io.rasterflow.model.finetune;

import io.rasterflow.model.checkpoint.Tensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Where named parameters lie in one flat float32 tensor: group after group, each with a learning rate of its own.
 *
 * <pre>
 * | depth 0 matrices | depth 0 vectors | depth 1 matrices | ... | top vectors |
 * </pre>
 *
 * <p>Every parameter starts at a multiple of 16 floats; a group's last padding belongs to it.
 */
public final class FineTuneLayout {
    private static final int ALIGNMENT = 16;

    /**
     * A parameter to lay out.
     *
     * @param name checkpoint name
     * @param shape sizes, outermost first
     * @param depth 0 the embedding, i + 1 block i, blocks + 1 whatever lies above
     */
    public record Parameter(String name, List<Integer> shape, int depth) {
        int size() {
            return shape.stream().reduce(1, Math::multiplyExact);
        }

        boolean decayed() {
            return shape.size() > 1;
        }

        long[] sizes() {
            return shape.stream().mapToLong(Integer::longValue).toArray();
        }
    }

    /**
     * Neighbouring parameters with one learning rate and one decay.
     *
     * @param depth of its parameters
     * @param decayed whether weight decay applies: to matrices, not to parameters of one dimension
     * @param floats values with padding
     */
    public record Group(int depth, boolean decayed, int floats) {

        /** Factor of the learning rate: decay to the power of the layers above (arXiv 2111.06377, appendix A.1). */
        public double rateScale(double layerDecay, int blocks) {
            return Math.pow(layerDecay, blocks + 1 - depth);
        }
    }

    private final List<Parameter> parameters;
    private final List<Integer> offsets = new ArrayList<>();
    private final List<Group> groups = new ArrayList<>();
    private final int floats;

    FineTuneLayout(List<Parameter> unordered) {
        parameters = new ArrayList<>(unordered);
        parameters.sort(
                Comparator.comparingInt(Parameter::depth).thenComparing(Parameter::decayed, (a, b) -> b.compareTo(a)));
        long end = 0;
        long groupStart = 0;
        for (int i = 0; i < parameters.size(); i++) {
            Parameter parameter = parameters.get(i);
            offsets.add((int) end);
            end += (parameter.size() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
            if (end * Float.BYTES > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(
                        "fine-tuning holds at most 536,870,911 parameters in one tensor, which " + parameter.name()
                                + " exceeds; take a smaller model or finetune.kind=lora");
            }
            if (i + 1 == parameters.size() || !sameGroup(parameter, parameters.get(i + 1))) {
                groups.add(new Group(parameter.depth(), parameter.decayed(), (int) (end - groupStart)));
                groupStart = end;
            }
        }
        floats = (int) end;
    }

    private static boolean sameGroup(Parameter one, Parameter next) {
        return one.depth() == next.depth() && one.decayed() == next.decayed();
    }

    /** Parameters by ascending offset. */
    public List<Parameter> parameters() {
        return List.copyOf(parameters);
    }

    /** Learning-rate groups by ascending offset; they cover the tensor. */
    public List<Group> groups() {
        return List.copyOf(groups);
    }

    /** Values without padding. */
    public long size() {
        return parameters.stream().mapToLong(Parameter::size).sum();
    }

    int floats() {
        return floats;
    }

    List<String> names() {
        return parameters.stream().map(Parameter::name).toList();
    }

    List<List<Integer>> shapes() {
        return parameters.stream().map(Parameter::shape).toList();
    }

    List<Integer> offsets() {
        return List.copyOf(offsets);
    }

    /**
     * Lays named tensors side by side, padding zero; others are ignored.
     *
     * @throws IllegalArgumentException naming the first tensor that is missing or of another shape
     */
    float[] flatten(SortedMap<String, Tensor> tensors) {
        float[] flat = new float[floats];
        for (int i = 0; i < parameters.size(); i++) {
            Parameter parameter = parameters.get(i);
            Tensor tensor = tensors.get(parameter.name());
            if (tensor == null || !Arrays.equals(tensor.shape(), parameter.sizes())) {
                throw new IllegalArgumentException("tensor " + parameter.name() + " "
                        + (tensor == null ? "is missing" : "has shape " + Arrays.toString(tensor.shape()))
                        + " but the configured model has " + parameter.shape()
                        + "; the weights belong to another architecture");
            }
            tensor.values().duplicate().rewind().get(flat, offsets.get(i), parameter.size());
        }
        return flat;
    }

    /** Named read-only views into a flat array. */
    SortedMap<String, Tensor> unflatten(float[] flat) {
        SortedMap<String, Tensor> tensors = new TreeMap<>();
        for (int i = 0; i < parameters.size(); i++) {
            Parameter parameter = parameters.get(i);
            FloatBuffer values =
                    FloatBuffer.wrap(flat, offsets.get(i), parameter.size()).slice();
            tensors.put(parameter.name(), new Tensor(parameter.sizes(), values.asReadOnlyBuffer()));
        }
        return tensors;
    }
}
