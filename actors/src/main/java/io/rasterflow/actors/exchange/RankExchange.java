package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One rank in one generation: publishes what it contributes, and fails when a peer is gone.
 *
 * <p>The lock guards the bookkeeping ({@link StepProgress}) of the calling thread, which is here, and of what arrives, see
 * {@link Arrivals}.
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
    private final Arrivals arrivals;
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
        this.arrivals = new Arrivals(this);
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

    /** The other ranks, in the order in which they are handed what is published. */
    int[] peers() {
        return peers;
    }

    /** Where peers' contributions go. */
    Arrivals arrivals() {
        return arrivals;
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
        healthyRun(StepProgress::shareSum);
        commonSum = true;
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
            ring().ifPresent(flow -> flow.publish(step, bucket, gradient));
            return;
        }
        segment().ifPresent(shared -> sharedGradient = shared.gradientOf(bucket, gradient));
        if (slot == plan.firstSlot(rank)) {
            healthyRun(current -> current.firstPartial(bucket, gradient));
        }
        Slices slices = plan.buckets().get(bucket);
        for (int peer : peers) {
            // Where the sum is must be known even to those who add nothing to it.
            if (slices.length(peer) > 0 || (slot == 0 && commonSum)) {
                ways.get()[peer].partial(step, slot, bucket, slice(gradient, slices, peer));
            }
        }
        if (slices.length(rank) > 0) {
            arrivals.partial(rank, step, slot, bucket, slice(gradient, slices, rank));
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
        arrivals.scalars(rank, step, own);
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

    // ---- The lock

    /** Bookkeeping under the lock, unless the generation has failed. */
    <T> Optional<T> healthy(Function<StepProgress, T> bookkeeping) {
        synchronized (lock) {
            return failure == null ? Optional.ofNullable(bookkeeping.apply(progress)) : Optional.empty();
        }
    }

    void healthyRun(Consumer<StepProgress> bookkeeping) {
        var unused = healthy(current -> {
            bookkeeping.accept(current);
            return true;
        });
    }

    /** The links by rank, unless the generation has failed. */
    Optional<Link[]> healthyLinks() {
        return healthy(current -> links);
    }

    /** The ring's flow where there is a ring, unless the generation has failed. */
    Optional<RingFlow> ring() {
        return healthy(current -> ring);
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
