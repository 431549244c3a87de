package io.rasterflow.actors.exchange;

import io.rasterflow.actors.exchange.Exchange.Reduced;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntPredicate;

/**
 * What of a step has arrived at one rank and what is missing: its slice's addends, everybody's finished slices, everybody's
 * scalars. Plain bookkeeping; every method is called under the exchange's lock.
 *
 * <p>Why nothing is overwritten too early: a rank completes step s only when every owner has read all its partial sums, and
 * step s + 1 reaches nobody's result before everybody has begun it. So besides the current step only the next one can
 * arrive; its scalars have a board of their own, its addends need none (see {@link SliceReducer}).
 */
final class StepProgress {

    private final ReductionPlan plan;
    private final int rank;
    private final StepBoard[] boards;
    private final BitSet[] reducedChunks;
    private final SliceReducer reducer;
    private ByteBuffer result;

    private int parity;
    private long step = StepBoard.NONE;
    private boolean running;
    private int chunksMissing;
    private CompletableFuture<Reduced> future = new CompletableFuture<>();

    StepProgress(ReductionPlan plan, int rank, IntPredicate isLocal) {
        this.plan = plan;
        this.rank = rank;
        this.boards = new StepBoard[] {new StepBoard(plan.microBatches()), new StepBoard(plan.microBatches())};
        this.reducedChunks = new BitSet[plan.worldSize()];
        this.reducer = new SliceReducer(plan, rank);
        for (int peer = 0; peer < plan.worldSize(); peer++) {
            reducedChunks[peer] = new BitSet();
            if (!isLocal.test(peer)) {
                reducer.stage(peer);
            }
        }
        if (plan.worldSize() > 1) {
            result = FloatSums.allocate(plan.floats());
        }
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

    SliceReducer reducer() {
        return reducer;
    }

    ByteBuffer result() {
        return result;
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
        chunksMissing = plan.worldSize() == 1 ? 1 : plan.totalChunks();
        for (BitSet chunks : reducedChunks) {
            chunks.clear();
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
                return reducer.target(peer, header);
            case REDUCED:
                return reducedTarget(peer, header.step(), SliceReducer.chunkOf(plan, peer, header));
            case SCALARS:
                if (header.length() != plan.runLength(peer) * LossCounts.BYTES) {
                    throw new ExchangeException("corrupt frame: " + header.length() + " bytes of scalars for "
                            + plan.runLength(peer) + " micro-batches");
                }
                return ByteBuffer.allocate(header.length());
            default:
                throw new ExchangeException("a frame of type " + header.type() + " inside a step");
        }
    }

    /** A chunk of a slot has arrived; whether it was the last that its sum needs. */
    boolean addendArrived(int peer, long peerStep, int slot, int chunk) {
        board(peer, peerStep);
        return reducer.arrive(slot, peerStep, chunk);
    }

    /** A whole slot is in this process's memory; the chunks that can be summed now. */
    BitSet addendsArrived(int peer, long peerStep, int slot, ByteBuffer slice) {
        BitSet ready = new BitSet();
        reducer.source(slot, slice);
        for (int chunk = 0; chunk < reducer.chunks(); chunk++) {
            ready.set(chunk, addendArrived(peer, peerStep, slot, chunk));
        }
        return ready;
    }

    /** Where a finished chunk of a peer's slice goes: not before this rank has begun its step, and not twice. */
    ByteBuffer reducedTarget(int peer, long peerStep, int chunk) {
        requireReducible(peer, peerStep, chunk);
        return FloatSums.view(
                result, plan.sliceStart(peer) + chunk * plan.chunkFloats(), plan.chunkLength(peer, chunk));
    }

    /** A finished chunk is in the result. */
    void reducedArrived(int peer, long peerStep, int chunk) {
        requireReducible(peer, peerStep, chunk);
        reducedChunks[peer].set(chunk);
        chunksMissing--;
    }

    private void requireReducible(int peer, long peerStep, int chunk) {
        if (board(peer, peerStep) != boards[parity] || reducedChunks[peer].get(chunk)) {
            throw new ExchangeException(
                    "chunk " + chunk + " of step " + peerStep + " came twice or before its addends");
        }
    }

    void scalarsArrived(int peer, long peerStep, LossCounts[] counts) {
        board(peer, peerStep).put(plan.firstMicroBatch(peer), counts);
    }

    /** A single rank's only partial sum is the result. */
    void resultArrived(ByteBuffer gradient) {
        result = gradient;
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
        board.clear();
        running = false;
        CompletableFuture<Reduced> done = future;
        ByteBuffer gradientSum = FloatSums.view(result, 0, plan.floats());
        double meanSquaredNorm = sum.squaredNorm() / plan.microBatches();
        Reduced reduced =
                new Reduced(step, gradientSum, sum.lossSum(), sum.patches(), sum.images(), meanSquaredNorm, nonFinite);
        return () -> done.complete(reduced);
    }
}
