package io.rasterflow.model.probe;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The blocks whose outputs a feature is the mean of, before the final norm.
 *
 * @param indices counted from 0, ascending, without repetition
 */
public record Blocks(List<Integer> indices) {
    public Blocks {
        indices = indices.stream().distinct().sorted().toList();
        if (indices.isEmpty() || indices.get(0) < 0) {
            throw new IllegalArgumentException(
                    "features need at least one block, counted from 0, but the blocks are " + indices);
        }
    }

    /** All from the first to the last, both included. */
    public static Blocks range(int first, int last) {
        return new Blocks(IntStream.rangeClosed(first, last).boxed().toList());
    }

    /** The index of the topmost block; those above it need not be computed. */
    public int top() {
        return indices.get(indices.size() - 1);
    }

    /** Such as {@code 3-5,7}. */
    @Override
    public String toString() {
        List<String> parts = new ArrayList<>();
        int start = 0;
        for (int i = 1; i <= indices.size(); i++) {
            if (i == indices.size() || indices.get(i) != indices.get(i - 1) + 1) {
                int first = indices.get(start);
                int last = indices.get(i - 1);
                parts.add(first == last ? Integer.toString(first) : first + "-" + last);
                start = i;
            }
        }
        return String.join(",", parts);
    }
}
