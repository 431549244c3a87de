package io.rasterflow.actors.exchange;

import io.rasterflow.actors.exchange.Exchange.Reduced;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * What of a step has arrived at one rank and what is missing: its slice's addends, everybody's finished slices, everybody's
 * scalars. Plain bookkeeping; every method is called under the exchange's lock.
 *
 * <p>Why nothing is overwritten too early: a rank completes step s only when every owner has read all its partial sums, and
 * step s + 1 reaches nobody's result before everybody has begun it. So besides the current step only the next one can
 * arrive; its scalars have a board of their own, its addends need none (see {@link SliceReducer}). A sum that takes the
 * place of this rank's partial sum overwrites what its owner has read, and stays while the next step uses other memory,
 * for finished chunks may still be on their way to a slow peer. The same holds for memory that other processes read, see {@link SharedSegment}.
 */
final class StepProgress {

    private final ReductionPlan plan;
    private final int rank;
    private final StepBoard[] boards;
    private final List<SliceReducer> reducers = new ArrayList<>();
    private final List<BitSet[]> reducedChunks = new ArrayList<>();
    private List<ByteBuffer> sums = new ArrayList<>();
    private List<ByteBuffer> nextSums = new ArrayList<>();
    /** Whether the sum lies in memory of rank 0, and this is another rank. */
    private boolean common;

    private int parity;
    private long step = StepBoard.NONE;
    private boolean running;
    private int chunksMissing;
    private CompletableFuture<Reduced> future = new CompletableFuture<>();

    StepProgress(ReductionPlan plan, int rank) {
        this.plan = plan;
        this.rank = rank;
        this.boards = new StepBoard[] {new StepBoard(plan.microBatches()), new StepBoard(plan.microBatches())};
        Staging staging = new Staging(Math.min(plan.chunkFloats(), plan.longestSlice(rank)));
        for (Slices slices : plan.buckets()) {
            BitSet[] chunks = new BitSet[plan.worldSize()];
            Arrays.setAll(chunks, slice -> new BitSet());
            reducedChunks.add(chunks);
            if (!plan.ring()) {
                reducers.add(new SliceReducer(plan, slices, rank, staging));
            }
            sums.add(plan.ring() ? FloatSums.allocate(slices.floats()) : null);
            nextSums.add(null);
        }
    }

    /** The sum lies in memory of rank 0, which says in every step where; before the first step. */
    void shareSum() {
        common = true;
    }

    /** A bucket of this rank's first partial sum: what has been read of it makes room for the sum of all ranks. */
    void firstPartial(int bucket, ByteBuffer gradient) {
        if (!plan.ring() && !common) {
            sums.set(bucket, gradient);
        }
    }

    /** Where the sum of a bucket lies that all ranks share, in this step or the next. */
    void commonSum(long ofStep, int bucket, ByteBuffer sum) {
        boolean current = board(0, ofStep) == boards[parity];
        if ((current ? sums : nextSums).set(bucket, sum) != null) {
            throw new ExchangeException("rank 0 says twice where bucket " + bucket + " of step " + ofStep + " is");
        }
        if (current) {
            chunksMissing--;
        }
    }

    /** Where the sum of a bucket lies in this step. */
    ByteBuffer sum(int bucket) {
        return sums.get(bucket);
    }

    long step() {
        return step;
    }

    boolean running() {
        return running;
    }

    CompletableFuture<Reduced> future() {
        return future;
    }

    SliceReducer reducer(int bucket) {
        return reducers.get(bucket);
    }

    /** Where this rank's slice of a bucket is added up and peers are sent it from: its place in the result. */
    ByteBuffer ownSlice(int bucket) {
        Slices slices = plan.buckets().get(bucket);
        return FloatSums.view(sums.get(bucket), slices.start(rank), slices.length(rank));
    }

    /**
     * Starts a step.
     *
     * @throws ExchangeException if a peer has already sent something of another step
     */
    void begin(long newStep) {
        StepBoard board = boards[parity ^ 1];
        if (board.step() != StepBoard.NONE && board.step() != newStep) {
            throw new ExchangeException(
                    "rank " + rank + " begins step " + newStep + " but a peer is at step " + board.step());
        }
        board.assign(newStep);
        parity ^= 1;
        step = newStep;
        running = true;
        future = new CompletableFuture<>();
        if (!plan.ring()) {
            List<ByteBuffer> before = sums;
            sums = nextSums;
            nextSums = before;
            Collections.fill(nextSums, null);
        }
        chunksMissing = plan.worldSize() == 1 ? plan.buckets().size() : plan.totalChunks();
        if (common) {
            chunksMissing += Collections.frequency(sums, null);
        }
        for (BitSet[] ofBucket : reducedChunks) {
            for (BitSet chunks : ofBucket) {
                chunks.clear();
            }
        }
    }

    /** The board of a step, which is the current one or, from a fast peer, the one after it. */
    private StepBoard board(int peer, long peerStep) {
        if (running && peerStep == step) {
            return boards[parity];
        }
        StepBoard next = boards[parity ^ 1];
        boolean fits = peerStep > step && (next.step() == StepBoard.NONE || next.step() == peerStep);
        if (!fits) {
            throw new ExchangeException("rank " + peer + " is at step " + peerStep + ", rank " + rank + " at step "
                    + (step == StepBoard.NONE ? "none" : Long.toString(step)));
        }
        next.assign(peerStep);
        return next;
    }

    /** Where the payload of a peer's frame goes. */
    ByteBuffer target(int peer, FrameHeader header) {
        board(peer, header.step());
        switch (header.type()) {
            case PARTIAL:
                return reducer(plan.bucket(header).bucket()).target(peer, header);
            case REDUCED:
                Slices slices = plan.bucket(header);
                return reducedTarget(peer, header.step(), slices.bucket(), slices.chunkOf(peer, header));
            case SCALARS:
                if (header.length() != Scalars.bytes(plan.runLength(peer))) {
                    throw new ExchangeException("corrupt frame: " + header.length() + " bytes of scalars for "
                            + plan.runLength(peer) + " micro-batches");
                }
                return ByteBuffer.allocate(header.length());
            default:
                throw new ExchangeException("a frame of type " + header.type() + " inside a step");
        }
    }

    /** Whether a peer's frame is of the step that this rank is in, rather than of the next. */
    boolean isCurrent(int peer, long peerStep) {
        return board(peer, peerStep) == boards[parity];
    }

    /** A chunk of a slot has arrived; whether it was the last that its sum needs. */
    boolean addendArrived(int peer, long peerStep, int slot, int bucket, int chunk) {
        board(peer, peerStep);
        return reducer(bucket).arrive(slot, peerStep, chunk);
    }

    /** A bucket of a slot is in this process's memory; the chunks that can be summed now. */
    BitSet addendsArrived(int peer, long peerStep, int slot, int bucket, ByteBuffer slice) {
        BitSet ready = new BitSet();
        reducer(bucket).source(slot, slice);
        for (int chunk = 0; chunk < reducer(bucket).chunks(); chunk++) {
            ready.set(chunk, addendArrived(peer, peerStep, slot, bucket, chunk));
        }
        return ready;
    }

    /** A bucket of a slot lies in a peer's memory; its chunks arrive one by one. */
    void addendsReadable(int peer, long peerStep, int slot, int bucket, ByteBuffer slice) {
        board(peer, peerStep);
        reducer(bucket).requireSlot(peer, slot);
        reducer(bucket).source(slot, slice);
    }

    /** Where a finished chunk of a slice goes: not before this rank has begun its step, and not twice. */
    ByteBuffer reducedTarget(int owner, long ofStep, int bucket, int chunk) {
        requireReducible(owner, ofStep, bucket, chunk);
        Slices slices = plan.buckets().get(bucket);
        if (sums.get(bucket) == null || common) {
            throw new ExchangeException(
                    "values of a finished chunk came where " + (common ? "all share a sum" : "no addend went"));
        }
        return FloatSums.view(sums.get(bucket), slices.chunkStart(owner, chunk), slices.chunkLength(owner, chunk));
    }

    /** A finished chunk is in the result. */
    void reducedArrived(int owner, long ofStep, int bucket, int chunk) {
        requireReducible(owner, ofStep, bucket, chunk);
        reducedChunks.get(bucket)[owner].set(chunk);
        chunksMissing--;
    }

    private void requireReducible(int owner, long ofStep, int bucket, int chunk) {
        if (board(owner, ofStep) != boards[parity] || reducedChunks.get(bucket)[owner].get(chunk)) {
            throw new ExchangeException("chunk " + chunk + " of step " + ofStep + " came twice or before its addends");
        }
    }

    void scalarsArrived(int peer, long peerStep, Scalars scalars) {
        board(peer, peerStep).put(plan.firstMicroBatch(peer), scalars);
    }

    /** A single rank's only partial sum is the result: one bucket of it, last of all or not. */
    void resultArrived(int bucket, ByteBuffer gradient) {
        sums.set(bucket, gradient);
        chunksMissing--;
    }

    /** What to do outside the lock now: complete the step, if nothing is missing any more. */
    Runnable completion() {
        StepBoard board = boards[parity];
        if (!running || chunksMissing > 0 || !board.complete()) {
            return () -> {};
        }
        LossCounts sum = board.sum();
        int nonFinite = board.firstNonFinite();
        int signals = board.signals();
        board.clear();
        running = false;
        CompletableFuture<Reduced> done = future;
        List<ByteBuffer> gradientSum = sums.stream()
                .map(bucket -> FloatSums.view(bucket, 0, bucket.capacity() / Float.BYTES))
                .toList();
        double meanSquaredNorm = sum.squaredNorm() / plan.microBatches();
        Reduced reduced = new Reduced(
                step, gradientSum, sum.lossSum(), sum.patches(), sum.images(), meanSquaredNorm, nonFinite, signals);
        return () -> done.complete(reduced);
    }
}
