package io.rasterflow.actors.exchange;

import java.util.ArrayList;
import java.util.List;

/**
 * The canonical order of summation: a fixed binary tree over the M micro-batches of a global batch.
 *
 * <p>A node over n &gt; 1 leaves has the first p leaves as its left child and the other n - p as its right child, where p
 * is the largest power of two below n. The value of a node is {@code left + right}, element by element. The tree depends
 * on M alone, so a rank that adds up whole subtrees never changes a bit of the result, whatever the world size:
 *
 * <pre>
 *   M = 6              [0..6)
 *                    /        \
 *               [0..4)        [4..6)
 *              /      \       /    \
 *          [0..2)  [2..4)    4      5
 *          /    \  /    \
 *         0      1 2     3
 *
 *   three ranks own [0..2) [2..4) [4..6): one subtree each
 *   two ranks own [0..3) and [3..6): rank 0 sends [0..2) and 2, rank 1 sends 3 and [4..6)
 * </pre>
 */
public final class ReductionTree {

    private ReductionTree() {}

    /** A run of consecutive micro-batches, {@code first} inclusive. */
    public record Span(int first, int count) {

        public Span {
            if (first < 0 || count < 1) {
                throw new IllegalArgumentException(
                        "a span needs first >= 0 and count >= 1, not " + first + ", " + count);
            }
        }

        /** One past the last micro-batch. */
        public int end() {
            return first + count;
        }

        public boolean isLeaf() {
            return count == 1;
        }

        /** Left child in the canonical tree. */
        public Span left() {
            return new Span(first, split());
        }

        /** Right child in the canonical tree. */
        public Span right() {
            return new Span(first + split(), count - split());
        }

        private int split() {
            if (count == 1) {
                throw new IllegalStateException("micro-batch " + first + " is a leaf");
            }
            return Integer.highestOneBit(count - 1);
        }
    }

    /** The root: all micro-batches. */
    public static Span root(int microBatches) {
        return new Span(0, microBatches);
    }

    /**
     * The largest nodes of the tree over {@code microBatches} leaves that lie inside [from, to), in index order. Together
     * they cover the run exactly; there are at most 2·log2(M) of them.
     */
    public static List<Span> maximalSubtrees(int microBatches, int from, int to) {
        if (from < 0 || to > microBatches || from >= to) {
            throw new IllegalArgumentException(
                    "run [" + from + ", " + to + ") is not inside the " + microBatches + " micro-batches");
        }
        List<Span> spans = new ArrayList<>();
        collect(root(microBatches), from, to, spans);
        return spans;
    }

    private static void collect(Span node, int from, int to, List<Span> spans) {
        if (node.end() <= from || node.first() >= to) {
            return;
        }
        if (node.first() >= from && node.end() <= to) {
            spans.add(node);
            return;
        }
        collect(node.left(), from, to, spans);
        collect(node.right(), from, to, spans);
    }

    /**
     * Whether {@code span} is the right child of its parent, that is whether it completes the parent when micro-batches
     * arrive in index order.
     *
     * @throws IllegalArgumentException if the span is no node of the tree
     */
    public static boolean isRightChild(int microBatches, Span span) {
        Span node = root(microBatches);
        boolean right = false;
        while (!node.equals(span)) {
            if (node.isLeaf() || node.first() > span.first() || node.end() < span.end()) {
                throw new IllegalArgumentException(span + " is no node of the tree over " + microBatches);
            }
            right = span.first() >= node.right().first();
            node = right ? node.right() : node.left();
        }
        return right;
    }
}
