package io.rasterflow.actors.exchange;

import io.rasterflow.actors.exchange.ReductionTree.Span;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Adds up the micro-batches of one rank as they come, in index order: a subtree is summed as soon as its last leaf is
 * there, so at most about log2(run) gradients are held besides the finished partial sums. Confined to the exchange's
 * calling thread.
 */
public final class GradientAccumulator {

    /** The sum of a complete subtree; {@code gradient} is 4·F bytes. */
    public record Partial(Span span, ByteBuffer gradient) {}

    private final int microBatches;
    private final int first;
    private final int end;
    private final List<Span> maximal;
    private final int floats;

    private final Deque<ByteBuffer> free = new ArrayDeque<>();
    private final Deque<Partial> stack = new ArrayDeque<>();
    private final List<Partial> finished = new ArrayList<>();
    private ByteBuffer open;
    private int next;

    /** For the run [first, end) of the tree over {@code microBatches} leaves. */
    public GradientAccumulator(int microBatches, int first, int end, int floats) {
        this.microBatches = microBatches;
        this.first = first;
        this.end = end;
        this.maximal = ReductionTree.maximalSubtrees(microBatches, first, end);
        this.floats = floats;
        this.next = first;
    }

    /**
     * Starts over with the first micro-batch.
     *
     * @param reuse whether nobody reads the finished partial sums any more
     */
    public void reset(boolean reuse) {
        if (reuse) {
            finished.forEach(partial -> free.push(partial.gradient()));
        }
        stack.forEach(partial -> free.push(partial.gradient()));
        finished.clear();
        stack.clear();
        next = first;
    }

    /** The buffer of the next micro-batch; the same one until {@link #add}. */
    public ByteBuffer nextGradient() {
        if (next == end) {
            throw new IllegalStateException("all micro-batches [" + first + ", " + end + ") were contributed");
        }
        if (open == null) {
            open = free.isEmpty() ? FloatSums.allocate(floats) : free.pop();
        }
        return FloatSums.view(open, 0, floats);
    }

    /** Sum of the squares of the open buffer. */
    double squares() {
        return open == null ? Double.NaN : FloatSums.squares(open.asFloatBuffer());
    }

    /** Takes the open buffer as the next micro-batch; returns the maximal subtree that it completes, if it does. */
    public Optional<Partial> add() {
        if (open == null) {
            throw new IllegalStateException("contribute() without nextGradient() for micro-batch " + next);
        }
        Partial top = new Partial(new Span(next, 1), open);
        open = null;
        next++;
        while (!maximal.contains(top.span()) && ReductionTree.isRightChild(microBatches, top.span())) {
            Partial left = stack.pop();
            FloatSums.add(left.gradient().asFloatBuffer(), top.gradient().asFloatBuffer());
            free.push(top.gradient());
            top = new Partial(
                    new Span(
                            left.span().first(),
                            left.span().count() + top.span().count()),
                    left.gradient());
        }
        if (maximal.contains(top.span())) {
            finished.add(top);
            return Optional.of(top);
        }
        stack.push(top);
        return Optional.empty();
    }

    /** The micro-batch that comes next; the run's end when all are there. */
    public int next() {
        return next;
    }

    public boolean complete() {
        return next == end;
    }
}
