package io.rasterflow.model.probe;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * What {@code probe.layers} may say.
 *
 * <pre>
 * last6    the last six blocks, or any other number; all blocks of a shallower trunk
 * best6    the paper's best six: blocks 14-19 of the 0.6B and 7B trunks, 12-17 of 1B and 3B. Other trunks take the same
 *          place as 1B and 3B: from the middle on, a quarter of the depth, at most six
 * each     every block in turn: one result for each
 * 3-5,7    these blocks, counted from 0
 * </pre>
 */
public final class Layers {
    private static final Pattern LAST = Pattern.compile("last([1-9]\\d{0,3})");
    private static final Pattern PART = Pattern.compile("(\\d{1,4})(?:-(\\d{1,4}))?");
    private static final String EACH = "each";
    private static final String BEST = "best6";
    private static final int MOST = 6;

    private Layers() {}

    /** @throws IllegalArgumentException unless the text has one of the forms above */
    public static void check(String layers) {
        if (!layers.equals(EACH)
                && !layers.equals(BEST)
                && !LAST.matcher(layers).matches()) {
            explicit(layers);
        }
    }

    /** Whether the text asks for more than one result. */
    static boolean several(String layers) {
        return layers.equals(EACH);
    }

    /**
     * One set of blocks for each result that is asked for.
     *
     * @param depth blocks of the trunk
     * @param dim its width, which tells 0.6B from 1B
     */
    public static List<Blocks> resolve(String layers, int depth, int dim) {
        if (layers.equals(EACH)) {
            return IntStream.range(0, depth)
                    .mapToObj(block -> Blocks.range(block, block))
                    .toList();
        }
        if (layers.equals(BEST)) {
            return List.of(best(depth, dim));
        }
        Matcher last = LAST.matcher(layers);
        if (last.matches()) {
            return List.of(Blocks.range(Math.max(0, depth - Integer.parseInt(last.group(1))), depth - 1));
        }
        Blocks blocks = explicit(layers);
        if (blocks.top() >= depth) {
            throw new IllegalArgumentException(
                    "probe.layers is " + layers + " but the trunk has the blocks 0-" + (depth - 1));
        }
        return List.of(blocks);
    }

    private static Blocks best(int depth, int dim) {
        if (depth == 24 && dim == 1536 || depth == 32 && dim == 4096) {
            return Blocks.range(14, 19);
        }
        int count = Math.max(1, Math.min(MOST, Math.round(depth / 4f)));
        return Blocks.range(depth / 2, depth / 2 + count - 1);
    }

    private static Blocks explicit(String layers) {
        List<Integer> indices = new ArrayList<>();
        for (String part : layers.split(",", -1)) {
            Matcher range = PART.matcher(part.strip());
            if (!range.matches()) {
                throw malformed(layers);
            }
            int first = Integer.parseInt(range.group(1));
            int last = range.group(2) == null ? first : Integer.parseInt(range.group(2));
            if (last < first) {
                throw malformed(layers);
            }
            IntStream.rangeClosed(first, last).forEach(indices::add);
        }
        return new Blocks(indices);
    }

    private static IllegalArgumentException malformed(String layers) {
        return new IllegalArgumentException("probe.layers must be last6 (or another number), best6, each, or blocks"
                + " counted from 0 such as 3-5,7 but is " + layers);
    }
}
