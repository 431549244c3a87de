package io.rasterflow.actors.exchange;

import io.rasterflow.streams.memory.MappedFaults;
import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One rank in one generation: publishes what it contributes, acts on what arrives, and fails when a peer is gone.
 *
 * <p>Arrivals come on event loops (peers over sockets), on the calling threads of peers in the same process and on this
 * rank's own calling thread. The lock guards the bookkeeping only ({@link StepProgress}): sums, copies and calls to links
 * happen outside it, so two exchanges of one process never wait for each other and no event loop waits for a sum.
 */
final class RankExchange implements Exchange {

    /** To blame, when it is not known who is. */
    private static final int NOBODY = -1;

    private final ReductionPlan plan;
    private final int rank;
    private final Consumer<RankExchange> onEnd;
    private final CompletableFuture<Exchange> joined = new CompletableFuture<>();
    private final int[] peers;
    private final Object lock = new Object();
    private final AtomicInteger signals = new AtomicInteger();

    // The calling thread's own.
    private final LossCounts[] run;
    private GradientAccumulator accumulator;
    private long step = StepBoard.NONE;
    private int nextSlot;
    private int sharedGradient;

    // Guarded by the lock.
    private final Link[] links;
    private int linksMissing;
    private StepProgress progress;
    private RingFlow ring;
    private ExchangeException failure;
    private boolean closed;
    private Optional<SharedSegment> segment;

    /** Whether the sum lies in one place for all ranks, where each owner writes its slices; from joining on it stays. */
    private volatile boolean commonSum;

    /** @param segment where peers of this host can read its gradients, if they are to */
    RankExchange(ReductionPlan plan, int rank, Optional<SharedSegment> segment, Consumer<RankExchange> onEnd) {
        this.plan = plan;
        this.rank = rank;
        this.onEnd = onEnd;
        int first = plan.firstMicroBatch(rank);
        this.run = new LossCounts[plan.runLength(rank)];
        GradientMemory memory = segment.isPresent() ? segment.get() : GradientMemory.direct(plan);
        this.segment = segment;
        this.peers = peerOrder();
        this.links = new Link[plan.worldSize()];
        this.linksMissing = peers.length;
        this.progress = new StepProgress(plan, rank);
        this.accumulator = new GradientAccumulator(
                plan.microBatches(),
                first,
                first + run.length,
                plan.buckets().size(),
                !plan.ring() && peers.length > 0,
                memory::gradient);
        this.ring = plan.ring() ? new RingFlow(this) : null;
        if (peers.length == 0) {
            allReached();
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

    /** Where peers of this host can read this rank's gradients, until the generation is over. */
    Optional<SharedSegment> segment() {
        synchronized (lock) {
            return segment;
        }
    }

    /** The gradient in the segment that the calling thread is about to publish. */
    int sharedGradient() {
        return sharedGradient;
    }

    /** The gradient in the segment whose place the sum of a bucket takes. */
    int gradientOfSum(int bucket) {
        synchronized (lock) {
            return commonSum
                    ? 0
                    : segment.map(shared -> shared.gradientOf(bucket, progress.sum(bucket)))
                            .orElse(0);
        }
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
            link.abort(refusal, NOBODY);
        } else if (last) {
            allReached();
        }
    }

    /** Peers map the segment before they are connected, so its name is gone when anybody hears of the join. */
    private void allReached() {
        segment().ifPresent(SharedSegment::unlink);
        if (rank == 0) {
            decideOnSum();
        }
        joined.complete(this);
    }

    /** All ranks have one sum, that of rank 0, if all of them can write there. The others wait to hear of it. */
    private void decideOnSum() {
        healthyLinks().ifPresent(ways -> {
            commonSum = peers.length > 0 && IntStream.of(peers).allMatch(peer -> ways[peer].sharesSum());
            for (int peer : peers) {
                if (ways[peer].sharesSum()) {
                    ways[peer].commonSum(commonSum);
                }
            }
        });
    }

    /** Rank 0's sum is that of all ranks. */
    void shareSum() {
        whenHealthy(() -> progress.shareSum());
        commonSum = true;
    }

    /** Rank 0 says where the sum of a bucket is. */
    void commonSum(long ofStep, int bucket, ByteBuffer sum) {
        blaming(0, () -> advance(() -> progress.commonSum(ofStep, bucket, sum)));
    }

    boolean sumIsCommon() {
        return commonSum;
    }

    /** The time to join is over. */
    void joinTimedOut(long millis) {
        List<Integer> missing;
        synchronized (lock) {
            missing = IntStream.range(0, links.length)
                    .filter(peer -> peer != rank && links[peer] == null)
                    .boxed()
                    .toList();
        }
        String message = "generation " + plan.generation().number() + ": no connection with "
                + missing.stream().map(this::name).collect(Collectors.joining(", ")) + " within " + millis + " ms";
        if (missing.size() == 1) {
            fail(new ExchangeException(message, address(missing.get(0))), missing.get(0));
        } else {
            fail(new ExchangeException(message));
        }
    }

    private DataAddress address(int peer) {
        return plan.generation().members().get(peer);
    }

    private String name(int peer) {
        DataAddress address = address(peer);
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
                if (ring != null) {
                    ring.begin();
                }
            } catch (ExchangeException e) {
                mismatch = e;
            }
        }
        if (mismatch != null) {
            fail(mismatch);
        }
        step = newStep;
        // After a failure partial sums may still be on their way to a peer.
        accumulator.reset(healthy, plan.takesSquares(newStep));
        nextSlot = plan.firstSlot(rank);
    }

    @Override
    public List<ByteBuffer> nextGradient() {
        requireBegun();
        return accumulator.nextGradient();
    }

    @Override
    public void ready(int bucket) {
        requireBegun();
        accumulator.ready(bucket).ifPresent(sum -> publish(nextSlot, bucket, sum));
    }

    @Override
    public void contribute(double lossSum, long patches, int images) {
        requireBegun();
        if (patches < 0 || images < 0) {
            throw new IllegalArgumentException("a micro-batch with " + patches + " patches and " + images + " images");
        }
        if (!accumulator.isOpen()) {
            throw new IllegalStateException("contribute() without nextGradient()");
        }
        for (int bucket = plan.buckets().size() - 1; bucket >= 0; bucket--) {
            if (accumulator.awaits(bucket)) {
                ready(bucket);
            }
        }
        int index = accumulator.next() - plan.firstMicroBatch(rank);
        run[index] = new LossCounts(lossSum, patches, images, accumulator.squares() / ((double) patches * patches));
        if (accumulator.close()) {
            nextSlot++;
        }
        if (accumulator.complete()) {
            publishScalars();
        }
    }

    @Override
    public void signal(int bits) {
        signals.getAndUpdate(before -> before | bits);
    }

    /** Gives every rank its slice of a bucket of a partial sum. */
    private void publish(int slot, int bucket, ByteBuffer gradient) {
        if (peers.length == 0) {
            synchronized (lock) {
                progress.resultArrived(bucket, gradient);
            }
            return;
        }
        Optional<Link[]> ways = healthyLinks();
        if (ways.isEmpty()) {
            return;
        }
        if (plan.ring()) {
            whenHealthyGet(() -> ring).ifPresent(flow -> flow.publish(step, bucket, gradient));
            return;
        }
        segment().ifPresent(shared -> sharedGradient = shared.gradientOf(bucket, gradient));
        if (slot == plan.firstSlot(rank)) {
            whenHealthy(() -> progress.firstPartial(bucket, gradient));
        }
        Slices slices = plan.buckets().get(bucket);
        for (int peer : peers) {
            // Where the sum is must be known even to those who add nothing to it.
            if (slices.length(peer) > 0 || (slot == 0 && commonSum)) {
                ways.get()[peer].partial(step, slot, bucket, slice(gradient, slices, peer));
            }
        }
        if (slices.length(rank) > 0) {
            partial(rank, step, slot, bucket, slice(gradient, slices, rank));
        }
    }

    private static ByteBuffer slice(ByteBuffer gradient, Slices slices, int owner) {
        return FloatSums.view(gradient, slices.start(owner), slices.length(owner));
    }

    private void publishScalars() {
        Scalars own = new Scalars(signals.getAndSet(0), run.clone());
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
        leave("");
        synchronized (lock) {
            accumulator = null;
            progress = null;
            ring = null;
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
    Optional<Link[]> healthyLinks() {
        return whenHealthyGet(() -> links);
    }

    // ---- Arrivals

    /** Where the payload of a peer's frame goes; null when the generation has failed. */
    ByteBuffer target(int peer, FrameHeader header) {
        synchronized (lock) {
            if (failure != null) {
                return null;
            }
            return ring != null && header.type() != FrameType.SCALARS
                    ? ring.target(peer, header, isCurrent(peer, header.step()))
                    : progress.target(peer, header);
        }
    }

    /** A peer's frame is in the buffer that {@link #target} named. */
    void arrived(int peer, FrameHeader header, ByteBuffer payload) {
        long ofStep = header.step();
        int bucket = header.bucket();
        int chunk = header.offset() / plan.chunkFloats();
        if (plan.ring() && header.type() != FrameType.SCALARS) {
            Ring.Chunk arrived = new Ring.Chunk(bucket, header.index(), chunk);
            whenHealthyGet(() -> ring).ifPresent(flow -> flow.arrived(peer, header.type(), ofStep, arrived));
            return;
        }
        switch (header.type()) {
            case PARTIAL -> {
                boolean last = whenHealthyGet(() -> progress.addendArrived(peer, ofStep, header.index(), bucket, chunk))
                        .orElse(false);
                if (last) {
                    reduce(ofStep, bucket, chunk);
                }
            }
            case REDUCED -> advance(() -> progress.reducedArrived(peer, ofStep, bucket, chunk));
            default -> advance(() -> progress.scalarsArrived(peer, ofStep, Scalars.decode(payload)));
        }
    }

    /** A peer of this process, or this rank itself, has a bucket of a partial sum of this rank's slice in memory. */
    void partial(int peer, long ofStep, int slot, int bucket, ByteBuffer slice) {
        blaming(peer, () -> whenHealthyGet(() -> progress.addendsArrived(peer, ofStep, slot, bucket, slice))
                .ifPresent(chunks -> chunks.stream().forEach(chunk -> reduce(ofStep, bucket, chunk))));
    }

    /** A peer whose memory this process can read has finished a chunk of its slice of a bucket. */
    void reduced(int peer, long ofStep, int bucket, int chunk, ByteBuffer values) {
        if (commonSum) {
            finished(peer, ofStep, bucket, chunk);
        } else {
            blaming(peer, () -> keep(peer, ofStep, bucket, chunk, values));
        }
    }

    /** A peer has finished a chunk of its slice of a bucket where the sum of all ranks lies. */
    void finished(int peer, long ofStep, int bucket, int chunk) {
        blaming(peer, () -> advance(() -> progress.reducedArrived(peer, ofStep, bucket, chunk)));
    }

    /** The next rank of a ring, in this process, is handed a chunk. */
    void ring(int peer, FrameType type, long ofStep, Ring.Chunk chunk, ByteBuffer values) {
        blaming(peer, () -> whenHealthyGet(() -> ring)
                .ifPresent(flow -> flow.handed(peer, type, ofStep, chunk, values)));
    }

    /** Whether a peer's frame is of this rank's step rather than the next; under the lock. */
    boolean isCurrent(int peer, long ofStep) {
        return progress.isCurrent(peer, ofStep);
    }

    /** A finished chunk goes into the result. */
    void keep(int owner, long ofStep, int bucket, int chunk, ByteBuffer values) {
        whenHealthyGet(() -> progress.reducedTarget(owner, ofStep, bucket, chunk))
                .ifPresent(target -> target.put(values));
        advance(() -> progress.reducedArrived(owner, ofStep, bucket, chunk));
    }

    /** A peer of another process has a bucket of a partial sum of this rank's slice in memory that can be read. */
    void readable(int peer, long ofStep, int slot, int bucket, ByteBuffer slice) {
        whenHealthy(() -> progress.addendsReadable(peer, ofStep, slot, bucket, slice));
    }

    /** One chunk of what is {@link #readable} is to be added, if it is the last that is missing. */
    void read(int peer, long ofStep, int slot, int bucket, int chunk) {
        blaming(peer, () -> {
            boolean last = whenHealthyGet(() -> progress.addendArrived(peer, ofStep, slot, bucket, chunk))
                    .orElse(false);
            if (last) {
                reduce(ofStep, bucket, chunk);
            }
        });
    }

    /** The scalars of all of a peer's micro-batches, or of this rank's own. */
    void scalars(int peer, long ofStep, Scalars scalars) {
        blaming(peer, () -> advance(() -> progress.scalarsArrived(peer, ofStep, scalars)));
    }

    /** All addends of a chunk of this rank's slice are here: adds them and tells everybody. */
    private void reduce(long ofStep, int bucket, int chunk) {
        Optional<StepProgress> healthy = whenHealthyGet(() -> progress);
        if (healthy.isEmpty()) {
            return;
        }
        SliceReducer slice = healthy.get().reducer(bucket);
        ByteBuffer own = healthy.get().ownSlice(bucket);
        slice.sum().add(chunk, own);
        whenHealthy(() -> slice.rearm(chunk));
        int start = chunk * plan.chunkFloats();
        ByteBuffer values =
                FloatSums.view(own, start, plan.buckets().get(bucket).chunkLength(rank, chunk));
        ByteBuffer wire = slice.sum().wire(chunk, own);
        healthyLinks().ifPresent(ways -> {
            for (int peer : peers) {
                ways[peer].reduced(ofStep, bucket, chunk, values.duplicate(), wire.duplicate());
            }
        });
        // Last, so that a complete step has nothing left to hand over.
        advance(() -> progress.reducedArrived(rank, ofStep, bucket, chunk));
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

    /** Bookkeeping under the lock, unless the generation has failed. */
    <T> Optional<T> whenHealthyGet(Supplier<T> bookkeeping) {
        synchronized (lock) {
            return failure == null ? Optional.of(bookkeeping.get()) : Optional.empty();
        }
    }

    /** A call from within this process: what it does wrong ends the generation, as it would on a connection. */
    private void blaming(int peer, Runnable arrival) {
        try {
            arrival.run();
            var unused = MappedFaults.raise();
        } catch (ExchangeException e) {
            lost(peer, e.getMessage());
        } catch (InternalError e) {
            // What the JVM makes of a page that is not there: some peer has cut its file short.
            fail(new ExchangeException("shared memory of a peer cannot be read any more: " + e.getMessage(), e));
        }
    }

    // ---- Failure

    /** A peer is gone or has sent something wrong: the generation is over. */
    void lost(int peer, String cause) {
        fail(new ExchangeException("lost " + name(peer) + " (" + cause + ")", address(peer)), peer);
    }

    /** A peer leaves the generation and says why. */
    void aborted(int peer, String reason, int culprit) {
        if (culprit == peer) {
            lost(peer, reason);
        } else if (culprit < 0 || culprit >= plan.worldSize()) {
            fail(new ExchangeException(name(peer) + " gave up: " + reason));
        } else {
            fail(new ExchangeException(name(peer) + " gave up: " + reason, address(culprit)), culprit);
        }
    }

    /** Ends the generation for this rank; only the first cause counts. */
    void fail(ExchangeException cause) {
        fail(cause, NOBODY);
    }

    private void fail(ExchangeException cause, int culprit) {
        CompletableFuture<Reduced> outstanding;
        Link[] ways;
        synchronized (lock) {
            if (failure != null) {
                return;
            }
            failure = cause;
            outstanding = progress.future();
            ways = links.clone();
            segment.ifPresent(SharedMemory::ended);
            segment = Optional.empty();
        }
        onEnd.accept(this);
        for (Link way : ways) {
            if (way != null) {
                way.abort(cause.getMessage(), culprit);
            }
        }
        outstanding.completeExceptionally(cause);
        joined.completeExceptionally(cause);
    }

    /** The rank leaves: it is nobody else's fault. */
    void leave(String reason) {
        fail(
                new ExchangeException("rank " + rank + " has left generation "
                        + plan.generation().number() + reason),
                rank);
    }
}
