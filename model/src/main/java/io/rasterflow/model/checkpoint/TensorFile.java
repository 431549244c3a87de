package io.rasterflow.model.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;

/** Named tensors of a file that comes from outside: what they are is known at once, their values are read on demand. */
public interface TensorFile {

    /**
     * What a tensor is.
     *
     * @param type of its values in the file
     * @param shape sizes, outermost first
     */
    record Entry(ElementType type, long[] shape) {
        @Override
        public String toString() {
            return type + " " + Arrays.toString(shape);
        }
    }

    /** Where it was read from. */
    Path file();

    /** All tensors by name. */
    SortedMap<String, Entry> entries();

    /** Free-form strings beside the tensors; empty if there are none. */
    Map<String, String> metadata();

    /**
     * The values of one tensor as float32; mapped from the file where it stores them so, else a copy.
     *
     * @throws IOException one line, if the tensor is missing or does not hold floating-point numbers
     */
    Tensor floats(String name) throws IOException;
}
