package io.rasterflow.actors.exchange;

import io.rasterflow.actors.exchange.ReductionTree.Span;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Adds up the micro-batches of one rank as they come, in index order: a subtree is summed as soon as its last leaf is
 * there, bucket by bucket, so at most about log2(run) gradients are held besides the finished partial sums. Confined to
 * the exchange's calling thread.
 */
final class GradientAccumulator {

    /** The sums of a subtree, or a micro-batch alone; one buffer per bucket. */
    private record Partial(Span span, List<ByteBuffer> buckets) {}

    private final int microBatches;
    private final int first;
    private final int end;
    private final List<Span> maximal;
    private final boolean rests;
    private final Supplier<List<ByteBuffer>> memory;

    private final Deque<List<ByteBuffer>> free = new ArrayDeque<>();
    private final List<Partial> stack = new ArrayList<>();
    private final List<Partial> finished = new ArrayList<>();
    private final Deque<List<ByteBuffer>> resting = new ArrayDeque<>();
    private final BitSet ready = new BitSet();
    private final double[] squares;
    private boolean takesSquares;
    private List<ByteBuffer> open;
    private int next;

    /**
     * For the run [first, end) of the tree over {@code microBatches} leaves.
     *
     * @param rests whether the first finished partial sum of a step is not used in the next, because peers may still be sent
     *     what has taken its place
     * @param memory gives the buffers of one more gradient
     */
    GradientAccumulator(
            int microBatches, int first, int end, int buckets, boolean rests, Supplier<List<ByteBuffer>> memory) {
        this.microBatches = microBatches;
        this.first = first;
        this.end = end;
        this.maximal = ReductionTree.maximalSubtrees(microBatches, first, end);
        this.rests = rests;
        this.memory = memory;
        this.squares = new double[buckets];
        this.next = first;
    }

    /**
     * Starts over with the first micro-batch.
     *
     * @param reuse whether nobody reads the finished partial sums any more
     * @param squares whether {@link #squares} is wanted
     */
    void reset(boolean reuse, boolean squares) {
        takesSquares = squares;
        if (reuse) {
            resting.forEach(free::push);
            resting.clear();
            for (Partial partial : finished) {
                (rests && resting.isEmpty() ? resting : free).push(partial.buckets());
            }
        }
        stack.forEach(partial -> free.push(partial.buckets()));
        open = null;
        ready.clear();
        finished.clear();
        stack.clear();
        next = first;
    }

    /** The buffers of the next micro-batch; the same ones until {@link #close}. */
    List<ByteBuffer> nextGradient() {
        if (next == end) {
            throw new IllegalStateException("all micro-batches [" + first + ", " + end + ") were contributed");
        }
        if (open == null) {
            open = free.isEmpty() ? memory.get() : free.pop();
        }
        return open.stream()
                .map(bucket -> FloatSums.view(bucket, 0, bucket.capacity() / Float.BYTES))
                .toList();
    }

    /**
     * A bucket of the open micro-batch is final: adds it to what it completes.
     *
     * @return the bucket of the maximal subtree that is complete with it, if one is
     */
    Optional<ByteBuffer> ready(int bucket) {
        if (open == null) {
            throw new IllegalStateException("no gradient of micro-batch " + next + ": nextGradient() comes first");
        }
        if (ready.get(bucket)) {
            throw new IllegalStateException("bucket " + bucket + " of micro-batch " + next + " is ready already");
        }
        ready.set(bucket);
        ByteBuffer sum = open.get(bucket);
        squares[bucket] = takesSquares ? FloatSums.squares(sum.asFloatBuffer()) : Double.NaN;
        Span span = new Span(next, 1);
        for (int below = stack.size(); completesParent(span); ) {
            Partial left = stack.get(--below);
            FloatSums.add(left.buckets().get(bucket).asFloatBuffer(), sum.asFloatBuffer());
            sum = left.buckets().get(bucket);
            span = new Span(left.span().first(), left.span().count() + span.count());
        }
        return maximal.contains(span) ? Optional.of(sum) : Optional.empty();
    }

    /** Gradients that are held at once for such a run: the open one, what waits for its sibling, finished sums. */
    static int gradientsHeld(int microBatches, int first, int end) {
        List<Span> maximal = ReductionTree.maximalSubtrees(microBatches, first, end);
        Deque<Span> waiting = new ArrayDeque<>();
        int finished = 0;
        int most = 0;
        for (int next = first; next < end; next++) {
            most = Math.max(most, waiting.size() + finished + 1);
            Span top = new Span(next, 1);
            while (!maximal.contains(top) && ReductionTree.isRightChild(microBatches, top)) {
                Span left = waiting.pop();
                top = new Span(left.first(), left.count() + top.count());
            }
            if (maximal.contains(top)) {
                finished++;
            } else {
                waiting.push(top);
            }
        }
        return most;
    }

    private boolean completesParent(Span span) {
        return !maximal.contains(span) && ReductionTree.isRightChild(microBatches, span);
    }

    /** Whether a bucket of the open micro-batch has not been called ready. */
    boolean awaits(int bucket) {
        return !ready.get(bucket);
    }

    /** Sum of the squares of the open micro-batch, all of whose buckets are ready; NaN where it is not taken. */
    double squares() {
        double sum = 0;
        for (double ofBucket : squares) {
            sum += ofBucket;
        }
        return sum;
    }

    /** The open micro-batch, all of whose buckets are ready, is over; whether it completed a maximal subtree. */
    boolean close() {
        Partial top = new Partial(new Span(next, 1), open);
        while (completesParent(top.span())) {
            Partial left = stack.remove(stack.size() - 1);
            free.push(top.buckets());
            int count = left.span().count() + top.span().count();
            top = new Partial(new Span(left.span().first(), count), left.buckets());
        }
        boolean whole = maximal.contains(top.span());
        (whole ? finished : stack).add(top);
        open = null;
        ready.clear();
        next++;
        return whole;
    }

    /** Whether a micro-batch is open: its buffers have been given out. */
    boolean isOpen() {
        return open != null;
    }

    /** The micro-batch that comes next; the run's end when all are there. */
    int next() {
        return next;
    }

    boolean complete() {
        return next == end;
    }
}
