package io.rasterflow.model.pickle;

import io.rasterflow.model.checkpoint.ElementType;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A tensor as a pickle describes it; its values lie in an entry of the zip. Index (i, j, ...) is value
 * {@code offset + i * strides[0] + j * strides[1] + ...} of the storage.
 *
 * @param storage where the values lie
 * @param offset of the first value, in values
 * @param shape sizes, outermost first
 * @param strides in values
 */
record PickledTensor(Storage storage, long offset, long[] shape, long[] strides) {
    private static final int LARGEST_RANK = 16;
    private static final Map<String, ElementType> STORAGE_TYPES = Map.of(
            "torch.DoubleStorage", ElementType.F64,
            "torch.FloatStorage", ElementType.F32,
            "torch.HalfStorage", ElementType.F16,
            "torch.BFloat16Storage", ElementType.BF16,
            "torch.LongStorage", ElementType.I64,
            "torch.IntStorage", ElementType.I32,
            "torch.ShortStorage", ElementType.I16,
            "torch.CharStorage", ElementType.I8,
            "torch.ByteStorage", ElementType.U8,
            "torch.BoolStorage", ElementType.BOOL);

    /**
     * @param type of its values
     * @param key name of the zip entry in the folder data/
     * @param values how many
     */
    record Storage(ElementType type, String key, long values) {}

    static boolean isStorageType(String name) {
        return STORAGE_TYPES.containsKey(name);
    }

    static Storage storage(String type, String key, long values) throws PickleException {
        ElementType element = STORAGE_TYPES.get(type);
        if (element == null || !key.matches("[0-9A-Za-z_]{1,40}") || values < 0) {
            throw new PickleException("it has a storage " + Text.shown(key) + " of type " + type + " and " + values
                    + " values, which cannot be");
        }
        return new Storage(element, key, values);
    }

    /** The arguments of PyTorch's function: storage, offset, shape, strides, and three more that do not matter here. */
    static PickledTensor rebuild(List<?> arguments) throws PickleException {
        if (arguments.size() < 4
                || !(arguments.get(0) instanceof Storage storage)
                || !(arguments.get(1) instanceof Long offset)) {
            throw new PickleException("it builds a tensor from unexpected arguments");
        }
        PickledTensor tensor = new PickledTensor(storage, offset, sizes(arguments.get(2)), sizes(arguments.get(3)));
        tensor.requireInside();
        return tensor;
    }

    private static long[] sizes(Object list) throws PickleException {
        if (!(list instanceof List<?> values) || values.size() > LARGEST_RANK) {
            throw new PickleException("it builds a tensor whose shape or strides are not a short list");
        }
        long[] sizes = new long[values.size()];
        for (int i = 0; i < sizes.length; i++) {
            if (!(values.get(i) instanceof Long size)) {
                throw new PickleException("it builds a tensor whose shape or strides are not whole numbers");
            }
            sizes[i] = size;
        }
        return sizes;
    }

    /** A tensor must lie in its storage and have no more values than it, or a small file could claim much memory. */
    private void requireInside() throws PickleException {
        String what = "it has a tensor of shape " + Arrays.toString(shape) + ", strides " + Arrays.toString(strides)
                + " and offset " + offset;
        if (strides.length != shape.length || offset < 0) {
            throw new PickleException(what + ", which cannot be");
        }
        long count = 1;
        long last = offset;
        try {
            for (int i = 0; i < shape.length; i++) {
                if (shape[i] < 0 || strides[i] < 0) {
                    throw new PickleException(what + ", with a negative number");
                }
                count = Math.multiplyExact(count, shape[i]);
                last = Math.addExact(last, Math.multiplyExact(Math.max(0, shape[i] - 1), strides[i]));
            }
        } catch (ArithmeticException e) {
            throw new PickleException(what + ", which is more than can be counted");
        }
        if (count > storage.values() || (count > 0 && last >= storage.values())) {
            throw new PickleException(what + ", but its storage has only " + storage.values() + " values");
        }
    }

    /** Number of values. */
    long count() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    /** Values of the storage from the first to the last that belongs to the tensor. */
    long extent() {
        long last = 0;
        for (int i = 0; i < shape.length; i++) {
            last += (shape[i] - 1) * strides[i];
        }
        return count() == 0 ? 0 : last + 1;
    }

    /** Whether the values lie in the order of the shape, without gaps. */
    boolean contiguous() {
        long expected = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            if (shape[i] != 1 && strides[i] != expected) {
                return false;
            }
            expected *= shape[i];
        }
        return true;
    }
}
