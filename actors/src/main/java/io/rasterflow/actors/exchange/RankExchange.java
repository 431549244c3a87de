package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * The state of one rank in one generation: what has arrived, what is missing, and what follows from each arrival.
 *
 * <p>Arrivals come on event loops (peers over sockets), on the calling threads of peers in the same process and on this
 * rank's own calling thread. The lock guards the bookkeeping only: sums, copies and calls to links happen outside it, so
 * two exchanges of one process never wait for each other. Why nothing is overwritten too early: a rank completes step s
 * only when every owner has read all its partial sums, and step s + 1 reaches nobody's result before everybody has begun
 * it (see also {@link SliceReducer}).
 */
final class RankExchange implements Exchange {

    private final ReductionPlan plan;
    private final int rank;
    private final Consumer<RankExchange> onEnd;
    private final CompletableFuture<Exchange> joined = new CompletableFuture<>();
    private final Object lock = new Object();

    // The calling thread's own.
    private final LossCounts[] run;
    private GradientAccumulator accumulator;
    private int nextSlot;

    // Guarded by the lock.
    private final Link[] links;
    private int linksMissing;
    private final StepBoard[] boards;
    private int parity;
    private long step = StepBoard.NONE;
    private boolean running;
    private SliceReducer reducer;
    private ByteBuffer result;
    private final BitSet[] reducedChunks;
    private int chunksMissing;
    private CompletableFuture<Reduced> future = new CompletableFuture<>();
    private ExchangeException failure;
    private boolean closed;

    RankExchange(ReductionPlan plan, int rank, Consumer<RankExchange> onEnd) {
        this.plan = plan;
        this.rank = rank;
        this.onEnd = onEnd;
        int world = plan.worldSize();
        int first = plan.firstMicroBatch(rank);
        this.run = new LossCounts[plan.runLength(rank)];
        this.accumulator = new GradientAccumulator(plan.microBatches(), first, first + run.length, plan.floats());
        this.links = new Link[world];
        this.linksMissing = world - 1;
        this.boards = new StepBoard[] {new StepBoard(plan.microBatches()), new StepBoard(plan.microBatches())};
        this.reducedChunks = new BitSet[world];
        for (int r = 0; r < world; r++) {
            reducedChunks[r] = new BitSet();
        }
        if (world == 1) {
            joined.complete(this);
        } else {
            this.reducer = new SliceReducer(plan, rank);
            this.result = FloatSums.allocate(plan.floats());
            for (int peer = 0; peer < world; peer++) {
                if (!isLocal(peer)) {
                    reducer.stage(peer);
                }
            }
        }
    }

    ReductionPlan plan() {
        return plan;
    }

    int rank() {
        return rank;
    }

    CompletableFuture<Exchange> joined() {
        return joined;
    }

    /** Whether a peer runs in this process. */
    boolean isLocal(int peer) {
        List<DataAddress> members = plan.generation().members();
        return members.get(peer).processId().equals(members.get(rank).processId());
    }

    /** Runs the action when this rank cannot join. */
    void whenNotJoined(Runnable action) {
        var unused = joined.exceptionally(cause -> {
            action.run();
            return null;
        });
    }

    // ---- Links

    /** A peer can be reached from now on. */
    void linkUp(int peer, Link link) {
        String refusal = null;
        boolean last = false;
        synchronized (lock) {
            if (failure != null) {
                refusal = failure.getMessage();
            } else if (links[peer] != null) {
                refusal = "rank " + peer + " is connected already";
            } else {
                links[peer] = link;
                last = --linksMissing == 0;
            }
        }
        if (refusal != null) {
            link.abort(refusal);
        } else if (last) {
            joined.complete(this);
        }
    }

    /** The peers that are not connected yet, in words. */
    String missingPeers() {
        StringBuilder names = new StringBuilder();
        synchronized (lock) {
            for (int peer = 0; peer < links.length; peer++) {
                if (peer != rank && links[peer] == null) {
                    names.append(names.isEmpty() ? "" : ", ").append(name(peer));
                }
            }
        }
        return names.toString();
    }

    String name(int peer) {
        DataAddress address = plan.generation().members().get(peer);
        return "rank " + peer + " at " + address.host() + ":" + address.port();
    }

    // ---- The caller's side

    @Override
    public void begin(long newStep) {
        ExchangeException mismatch = null;
        boolean healthy;
        synchronized (lock) {
            requireOpen();
            if (running && failure == null) {
                throw new IllegalStateException("begin(" + newStep + ") while step " + step + " is not complete");
            }
            if (newStep <= step) {
                throw new IllegalArgumentException("begin(" + newStep + ") after step " + step);
            }
            healthy = failure == null;
            if (healthy) {
                mismatch = start(newStep);
            }
            step = newStep;
        }
        accumulator.reset(healthy);
        nextSlot = 0;
        while (plan.slots().get(nextSlot).rank() != rank) {
            nextSlot++;
        }
        if (mismatch != null) {
            fail(mismatch);
        }
    }

    /** Under the lock. */
    private ExchangeException start(long newStep) {
        parity ^= 1;
        StepBoard board = boards[parity];
        if (board.step() != StepBoard.NONE && board.step() != newStep) {
            return new ExchangeException(
                    "rank " + rank + " begins step " + newStep + " but a peer is at step " + board.step());
        }
        board.assign(newStep);
        running = true;
        future = new CompletableFuture<>();
        chunksMissing = plan.worldSize() == 1 ? 1 : plan.totalChunks();
        for (BitSet chunks : reducedChunks) {
            chunks.clear();
        }
        return null;
    }

    @Override
    public ByteBuffer nextGradient() {
        requireBegun();
        return accumulator.nextGradient();
    }

    @Override
    public void contribute(double lossSum, long patches, int images) {
        requireBegun();
        if (patches < 0 || images < 0) {
            throw new IllegalArgumentException("a micro-batch with " + patches + " patches and " + images + " images");
        }
        int index = accumulator.next() - plan.firstMicroBatch(rank);
        Optional<GradientAccumulator.Partial> partial = accumulator.add();
        run[index] = LossCounts.of(lossSum, patches, images);
        partial.ifPresent(sum -> publish(nextSlot++, sum.gradient()));
        if (accumulator.complete()) {
            publishScalars();
        }
    }

    /** Gives every rank its slice of a partial sum; starts with the next rank so that not all send to rank 0 first. */
    private void publish(int slot, ByteBuffer gradient) {
        if (plan.worldSize() == 1) {
            keepAsResult(gradient);
            return;
        }
        Link[] peers = healthyLinks();
        for (int i = 1; i < peers.length; i++) {
            int peer = (rank + i) % peers.length;
            if (plan.sliceFloats(peer) > 0) {
                peers[peer].partial(step, slot, slice(gradient, peer));
            }
        }
        if (peers.length > 0 && plan.sliceFloats(rank) > 0) {
            partial(rank, step, slot, slice(gradient, rank));
        }
    }

    private ByteBuffer slice(ByteBuffer gradient, int owner) {
        return FloatSums.view(gradient, plan.sliceStart(owner), plan.sliceFloats(owner));
    }

    /** A single rank's only partial sum is the result. */
    private void keepAsResult(ByteBuffer gradient) {
        synchronized (lock) {
            if (failure == null) {
                result = gradient;
                chunksMissing--;
            }
        }
    }

    private void publishScalars() {
        LossCounts[] own = run.clone();
        Link[] peers = healthyLinks();
        for (int peer = 0; peer < peers.length; peer++) {
            if (peer != rank) {
                peers[peer].scalars(step, own);
            }
        }
        scalars(rank, step, own);
    }

    @Override
    public CompletionStage<Reduced> allReduce() {
        synchronized (lock) {
            if (failure != null) {
                return CompletableFuture.failedFuture(failure);
            }
            if (step == StepBoard.NONE || !accumulator.complete()) {
                throw new IllegalStateException("allReduce() before all of rank " + rank + "'s " + run.length
                        + " micro-batches were contributed");
            }
            return future;
        }
    }

    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
        }
        fail(new ExchangeException(
                "rank " + rank + " has left generation " + plan.generation().number()));
        synchronized (lock) {
            accumulator = null;
            reducer = null;
            result = null;
        }
    }

    /** Under the lock. */
    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException(
                    "the exchange of generation " + plan.generation().number() + " is closed");
        }
        if (linksMissing > 0 && failure == null) {
            throw new IllegalStateException("not joined yet");
        }
    }

    private void requireBegun() {
        synchronized (lock) {
            requireOpen();
            if (step == StepBoard.NONE) {
                throw new IllegalStateException("begin(step) comes first");
            }
        }
    }

    /** All links, or none when the generation has failed. */
    private Link[] healthyLinks() {
        synchronized (lock) {
            return failure == null ? links : new Link[0];
        }
    }

    // ---- Arrivals

    /** Where the payload of a peer's frame goes; null when the generation has failed. */
    ByteBuffer target(int peer, FrameHeader header) {
        synchronized (lock) {
            if (failure != null) {
                return null;
            }
            StepBoard board = board(peer, header.step());
            switch (header.type()) {
                case PARTIAL:
                    return reducer.target(peer, header);
                case REDUCED:
                    int chunk = SliceReducer.chunkOf(plan, peer, header);
                    requireReducible(peer, board, chunk);
                    return FloatSums.view(
                            result, plan.sliceStart(peer) + header.offset(), header.length() / Float.BYTES);
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
    }

    /** A peer's frame is in the buffer that {@link #target} named. */
    void arrived(int peer, FrameHeader header, ByteBuffer payload) {
        switch (header.type()) {
            case PARTIAL -> partialChunk(peer, header);
            case REDUCED -> reducedChunk(peer, header.step(), header.offset() / plan.chunkFloats());
            default -> scalars(peer, header.step(), LossCounts.decode(payload));
        }
    }

    private void partialChunk(int peer, FrameHeader header) {
        int chunk = header.offset() / plan.chunkFloats();
        boolean ready;
        synchronized (lock) {
            if (failure != null) {
                return;
            }
            board(peer, header.step());
            ready = reducer.arrive(header.index(), header.step(), chunk);
        }
        if (ready) {
            reduce(header.step(), chunk);
        }
    }

    /** A peer of this process, or this rank itself, has a partial sum of this rank's slice in memory. */
    void partial(int peer, long peerStep, int slot, ByteBuffer slice) {
        BitSet ready = new BitSet();
        try {
            synchronized (lock) {
                if (failure != null) {
                    return;
                }
                board(peer, peerStep);
                reducer.source(slot, slice);
                for (int chunk = 0; chunk < reducer.chunks(); chunk++) {
                    ready.set(chunk, reducer.arrive(slot, peerStep, chunk));
                }
            }
        } catch (ExchangeException e) {
            lost(peer, e.getMessage());
            return;
        }
        ready.stream().forEach(chunk -> reduce(peerStep, chunk));
    }

    /** All addends of a chunk of this rank's slice are here: adds them and tells everybody. */
    private void reduce(long ofStep, int chunk) {
        SliceReducer slice;
        ByteBuffer sum;
        synchronized (lock) {
            if (failure != null) {
                return;
            }
            slice = reducer;
            sum = result;
        }
        slice.sum(chunk, sum.asFloatBuffer());
        synchronized (lock) {
            slice.rearm(chunk);
        }
        int start = plan.sliceStart(rank) + chunk * plan.chunkFloats();
        Link[] peers = healthyLinks();
        for (int i = 1; i < peers.length; i++) {
            peers[(rank + i) % peers.length].reduced(
                    ofStep, chunk, FloatSums.view(sum, start, plan.chunkLength(rank, chunk)));
        }
        // Last, so that a complete step has nothing left to hand over.
        reducedChunk(rank, ofStep, chunk);
    }

    /** A peer of this process has finished a chunk of its slice. */
    void reduced(int peer, long peerStep, int chunk, ByteBuffer values) {
        ByteBuffer target;
        try {
            synchronized (lock) {
                if (failure != null) {
                    return;
                }
                requireReducible(peer, board(peer, peerStep), chunk);
                target = FloatSums.view(
                        result, plan.sliceStart(peer) + chunk * plan.chunkFloats(), plan.chunkLength(peer, chunk));
            }
        } catch (ExchangeException e) {
            lost(peer, e.getMessage());
            return;
        }
        target.put(values);
        reducedChunk(peer, peerStep, chunk);
    }

    /** Under the lock: a reduced chunk must not come before this rank has begun its step, nor twice. */
    private void requireReducible(int peer, StepBoard board, int chunk) {
        if (!running || board != boards[parity] || reducedChunks[peer].get(chunk)) {
            throw new ExchangeException(
                    "chunk " + chunk + " of step " + board.step() + " came twice or before its addends");
        }
    }

    private void reducedChunk(int peer, long ofStep, int chunk) {
        Runnable completion;
        synchronized (lock) {
            if (failure != null) {
                return;
            }
            requireReducible(peer, board(peer, ofStep), chunk);
            reducedChunks[peer].set(chunk);
            chunksMissing--;
            completion = completion();
        }
        completion.run();
    }

    /** The scalars of all of a peer's micro-batches. */
    void scalars(int peer, long peerStep, LossCounts[] counts) {
        Runnable completion;
        try {
            synchronized (lock) {
                if (failure != null) {
                    return;
                }
                board(peer, peerStep).put(plan.firstMicroBatch(peer), counts);
                completion = completion();
            }
        } catch (ExchangeException e) {
            lost(peer, e.getMessage());
            return;
        }
        completion.run();
    }

    /** Under the lock: the board of a step, which is the current one or, from a fast peer, the one after it. */
    private StepBoard board(int peer, long peerStep) {
        StepBoard current = boards[parity];
        if (running && peerStep == step) {
            return current;
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

    /** Under the lock: what to do outside it when nothing is missing any more. */
    private Runnable completion() {
        StepBoard board = boards[parity];
        if (!running || chunksMissing > 0 || !board.complete()) {
            return () -> {};
        }
        LossCounts sum = board.sum();
        board.clear();
        running = false;
        CompletableFuture<Reduced> done = future;
        Reduced reduced = new Reduced(
                step,
                FloatSums.view(result, 0, plan.floats()),
                sum.lossSum(),
                sum.patches(),
                sum.images(),
                sum.finite());
        return () -> done.complete(reduced);
    }

    // ---- Failure

    /** A peer is gone or has sent something wrong: the generation is over. */
    void lost(int peer, String cause) {
        fail(new ExchangeException("lost " + name(peer) + " (" + cause + ")"));
    }

    /** Ends the generation for this rank; only the first cause counts. */
    void fail(ExchangeException cause) {
        CompletableFuture<Reduced> outstanding;
        Link[] peers;
        synchronized (lock) {
            if (failure != null) {
                return;
            }
            failure = cause;
            outstanding = future;
            peers = links.clone();
        }
        onEnd.accept(this);
        for (Link peer : peers) {
            if (peer != null) {
                peer.abort(cause.getMessage());
            }
        }
        outstanding.completeExceptionally(cause);
        joined.completeExceptionally(cause);
    }
}
