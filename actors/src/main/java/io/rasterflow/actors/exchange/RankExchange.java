package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * One rank in one generation: publishes what it contributes, acts on what arrives, and fails when a peer is gone.
 *
 * <p>Arrivals come on event loops (peers over sockets), on the calling threads of peers in the same process and on this
 * rank's own calling thread. The lock guards the bookkeeping only ({@link StepProgress}): sums, copies and calls to links
 * happen outside it, so two exchanges of one process never wait for each other and no event loop waits for a sum.
 */
final class RankExchange implements Exchange {

    private final ReductionPlan plan;
    private final int rank;
    private final Consumer<RankExchange> onEnd;
    private final CompletableFuture<Exchange> joined = new CompletableFuture<>();
    private final int[] peers;
    private final Object lock = new Object();

    // The calling thread's own.
    private final LossCounts[] run;
    private GradientAccumulator accumulator;
    private long step = StepBoard.NONE;
    private int nextSlot;

    // Guarded by the lock.
    private final Link[] links;
    private int linksMissing;
    private StepProgress progress;
    private ExchangeException failure;
    private boolean closed;

    RankExchange(ReductionPlan plan, int rank, Consumer<RankExchange> onEnd) {
        this.plan = plan;
        this.rank = rank;
        this.onEnd = onEnd;
        int first = plan.firstMicroBatch(rank);
        this.run = new LossCounts[plan.runLength(rank)];
        this.accumulator = new GradientAccumulator(plan.microBatches(), first, first + run.length, plan.floats());
        this.peers = peerOrder();
        this.links = new Link[plan.worldSize()];
        this.linksMissing = peers.length;
        this.progress = new StepProgress(plan, rank, this::isLocal);
        if (peers.length == 0) {
            joined.complete(this);
        }
    }

    /**
     * Peers over sockets first, so that bytes travel while this thread works for the local ones; each group from the next
     * rank on, so that not all send to rank 0 first.
     */
    private int[] peerOrder() {
        int world = plan.worldSize();
        return IntStream.range(1, world)
                .map(i -> (rank + i) % world)
                .boxed()
                .sorted(Comparator.comparing(this::isLocal))
                .mapToInt(Integer::intValue)
                .toArray();
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
            healthy = failure == null;
            if (progress.running() && healthy) {
                throw new IllegalStateException("begin(" + newStep + ") while step " + step + " is not complete");
            }
            if (newStep <= step) {
                throw new IllegalArgumentException("begin(" + newStep + ") after step " + step);
            }
            try {
                progress.begin(newStep);
            } catch (ExchangeException e) {
                mismatch = e;
            }
        }
        if (mismatch != null) {
            fail(mismatch);
        }
        step = newStep;
        // After a failure partial sums may still be on their way to a peer.
        accumulator.reset(healthy);
        nextSlot = plan.firstSlot(rank);
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
        // Of one micro-batch alone nothing can be learned about the noise between them.
        double squares = plan.microBatches() > 1 ? accumulator.squares() : Double.NaN;
        Optional<GradientAccumulator.Partial> partial = accumulator.add();
        run[index] = new LossCounts(lossSum, patches, images, squares / ((double) patches * patches));
        partial.ifPresent(sum -> publish(nextSlot++, sum.gradient()));
        if (accumulator.complete()) {
            publishScalars();
        }
    }

    /** Gives every rank its slice of a partial sum. */
    private void publish(int slot, ByteBuffer gradient) {
        if (peers.length == 0) {
            synchronized (lock) {
                progress.resultArrived(gradient);
            }
            return;
        }
        Optional<Link[]> ways = healthyLinks();
        if (ways.isEmpty()) {
            return;
        }
        for (int peer : peers) {
            if (plan.sliceFloats(peer) > 0) {
                ways.get()[peer].partial(step, slot, slice(gradient, peer));
            }
        }
        if (plan.sliceFloats(rank) > 0) {
            partial(rank, step, slot, slice(gradient, rank));
        }
    }

    private ByteBuffer slice(ByteBuffer gradient, int owner) {
        return FloatSums.view(gradient, plan.sliceStart(owner), plan.sliceFloats(owner));
    }

    private void publishScalars() {
        LossCounts[] own = run.clone();
        healthyLinks().ifPresent(ways -> {
            for (int peer : peers) {
                ways[peer].scalars(step, own);
            }
        });
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
            return progress.future();
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
            progress = null;
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

    /** The links by rank, unless the generation has failed. */
    private Optional<Link[]> healthyLinks() {
        return whenHealthyGet(() -> links);
    }

    // ---- Arrivals

    /** Where the payload of a peer's frame goes; null when the generation has failed. */
    ByteBuffer target(int peer, FrameHeader header) {
        synchronized (lock) {
            return failure == null ? progress.target(peer, header) : null;
        }
    }

    /** A peer's frame is in the buffer that {@link #target} named. */
    void arrived(int peer, FrameHeader header, ByteBuffer payload) {
        long ofStep = header.step();
        int chunk = header.offset() / plan.chunkFloats();
        switch (header.type()) {
            case PARTIAL -> {
                BitSet ready = new BitSet();
                whenHealthy(() -> ready.set(chunk, progress.addendArrived(peer, ofStep, header.index(), chunk)));
                ready.stream().forEach(all -> reduce(ofStep, all));
            }
            case REDUCED -> advance(() -> progress.reducedArrived(peer, ofStep, chunk));
            default -> advance(() -> progress.scalarsArrived(peer, ofStep, LossCounts.decode(payload)));
        }
    }

    /** A peer of this process, or this rank itself, has a partial sum of this rank's slice in memory. */
    void partial(int peer, long ofStep, int slot, ByteBuffer slice) {
        BitSet ready = new BitSet();
        blaming(peer, () -> {
            whenHealthy(() -> ready.or(progress.addendsArrived(peer, ofStep, slot, slice)));
            ready.stream().forEach(chunk -> reduce(ofStep, chunk));
        });
    }

    /** A peer of this process has finished a chunk of its slice. */
    void reduced(int peer, long ofStep, int chunk, ByteBuffer values) {
        blaming(peer, () -> {
            whenHealthyGet(() -> progress.reducedTarget(peer, ofStep, chunk)).ifPresent(target -> target.put(values));
            advance(() -> progress.reducedArrived(peer, ofStep, chunk));
        });
    }

    /** The scalars of all of a peer's micro-batches, or of this rank's own. */
    void scalars(int peer, long ofStep, LossCounts[] counts) {
        blaming(peer, () -> advance(() -> progress.scalarsArrived(peer, ofStep, counts)));
    }

    /** All addends of a chunk of this rank's slice are here: adds them and tells everybody. */
    private void reduce(long ofStep, int chunk) {
        Optional<StepProgress> healthy = whenHealthyGet(() -> progress);
        if (healthy.isEmpty()) {
            return;
        }
        SliceReducer slice = healthy.get().reducer();
        ByteBuffer sum = healthy.get().result();
        slice.sum(chunk, sum.asFloatBuffer());
        whenHealthy(() -> slice.rearm(chunk));
        int start = plan.sliceStart(rank) + chunk * plan.chunkFloats();
        healthyLinks().ifPresent(ways -> {
            for (int peer : peers) {
                ways[peer].reduced(ofStep, chunk, FloatSums.view(sum, start, plan.chunkLength(rank, chunk)));
            }
        });
        // Last, so that a complete step has nothing left to hand over.
        advance(() -> progress.reducedArrived(rank, ofStep, chunk));
    }

    /** Notes an arrival and completes the step if it was the last. */
    private void advance(Runnable arrival) {
        whenHealthyGet(() -> {
                    arrival.run();
                    return progress.completion();
                })
                .ifPresent(Runnable::run);
    }

    private void whenHealthy(Runnable bookkeeping) {
        synchronized (lock) {
            if (failure == null) {
                bookkeeping.run();
            }
        }
    }

    private <T> Optional<T> whenHealthyGet(Supplier<T> bookkeeping) {
        synchronized (lock) {
            return failure == null ? Optional.of(bookkeeping.get()) : Optional.empty();
        }
    }

    /** A call from within this process: what it does wrong ends the generation, as it would on a connection. */
    private void blaming(int peer, Runnable arrival) {
        try {
            arrival.run();
        } catch (ExchangeException e) {
            lost(peer, e.getMessage());
        }
    }

    // ---- Failure

    /** A peer is gone or has sent something wrong: the generation is over. */
    void lost(int peer, String cause) {
        fail(new ExchangeException("lost " + name(peer) + " (" + cause + ")"));
    }

    /** Ends the generation for this rank; only the first cause counts. */
    void fail(ExchangeException cause) {
        CompletableFuture<Reduced> outstanding;
        Link[] ways;
        synchronized (lock) {
            if (failure != null) {
                return;
            }
            failure = cause;
            outstanding = progress.future();
            ways = links.clone();
        }
        onEnd.accept(this);
        for (Link way : ways) {
            if (way != null) {
                way.abort(cause.getMessage());
            }
        }
        outstanding.completeExceptionally(cause);
        joined.completeExceptionally(cause);
    }
}
