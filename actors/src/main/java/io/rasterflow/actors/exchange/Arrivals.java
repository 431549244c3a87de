package io.rasterflow.actors.exchange;

import io.rasterflow.streams.memory.MappedFaults;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What arrives at one rank of a generation and what follows from it. Arrivals come on event loops (peers over sockets), on
 * the calling threads of peers in the same process and on the rank's own calling thread. The exchange's lock guards the
 * bookkeeping only: sums, copies and calls to links happen outside it, so two exchanges of one process never wait for each
 * other and no event loop waits for a sum.
 */
final class Arrivals {

    private final RankExchange exchange;
    private final ReductionPlan plan;
    private final int rank;

    Arrivals(RankExchange exchange) {
        this.exchange = exchange;
        this.plan = exchange.plan();
        this.rank = exchange.rank();
    }

    /** Where the payload of a peer's frame goes; null when the generation has failed. */
    ByteBuffer target(int peer, FrameHeader header) {
        Optional<RingFlow> round = header.type() == FrameType.SCALARS ? Optional.empty() : exchange.ring();
        return exchange.healthy(progress -> round.isPresent()
                        ? round.get().target(peer, header, progress.isCurrent(peer, header.step()))
                        : progress.target(peer, header))
                .orElse(null);
    }

    /** A peer's frame is in the buffer that {@link #target} named. */
    void arrived(int peer, FrameHeader header, ByteBuffer payload) {
        long ofStep = header.step();
        int bucket = header.bucket();
        int chunk = header.offset() / plan.chunkFloats();
        if (plan.ring() && header.type() != FrameType.SCALARS) {
            Ring.Chunk arrived = new Ring.Chunk(bucket, header.index(), chunk);
            exchange.ring().ifPresent(flow -> flow.arrived(peer, header.type(), ofStep, arrived));
            return;
        }
        switch (header.type()) {
            case PARTIAL -> {
                boolean last = exchange.healthy(
                                progress -> progress.addendArrived(peer, ofStep, header.index(), bucket, chunk))
                        .orElse(false);
                if (last) {
                    reduce(ofStep, bucket, chunk);
                }
            }
            case REDUCED -> advance(progress -> progress.reducedArrived(peer, ofStep, bucket, chunk));
            default -> advance(progress -> progress.scalarsArrived(peer, ofStep, Scalars.decode(payload)));
        }
    }

    /** A peer of this process, or this rank itself, has a bucket of a partial sum of this rank's slice in memory. */
    void partial(int peer, long ofStep, int slot, int bucket, ByteBuffer slice) {
        blaming(peer, () -> exchange.healthy(progress -> progress.addendsArrived(peer, ofStep, slot, bucket, slice))
                .ifPresent(chunks -> chunks.stream().forEach(chunk -> reduce(ofStep, bucket, chunk))));
    }

    /** A peer whose memory this process can read has finished a chunk of its slice of a bucket. */
    void reduced(int peer, long ofStep, int bucket, int chunk, ByteBuffer values) {
        if (exchange.sumIsCommon()) {
            finished(peer, ofStep, bucket, chunk);
        } else {
            blaming(peer, () -> keep(peer, ofStep, bucket, chunk, values));
        }
    }

    /** A peer has finished a chunk of its slice of a bucket where the sum of all ranks lies. */
    void finished(int peer, long ofStep, int bucket, int chunk) {
        blaming(peer, () -> advance(progress -> progress.reducedArrived(peer, ofStep, bucket, chunk)));
    }

    /** The next rank of a ring, in this process, is handed a chunk. */
    void ring(int peer, FrameType type, long ofStep, Ring.Chunk chunk, ByteBuffer values) {
        blaming(peer, () -> exchange.ring().ifPresent(flow -> flow.handed(peer, type, ofStep, chunk, values)));
    }

    /** A finished chunk goes into the result. */
    void keep(int owner, long ofStep, int bucket, int chunk, ByteBuffer values) {
        exchange.healthy(progress -> progress.reducedTarget(owner, ofStep, bucket, chunk))
                .ifPresent(target -> target.put(values));
        advance(progress -> progress.reducedArrived(owner, ofStep, bucket, chunk));
    }

    /** A peer of another process has a bucket of a partial sum of this rank's slice in memory that can be read. */
    void readable(int peer, long ofStep, int slot, int bucket, ByteBuffer slice) {
        exchange.healthyRun(progress -> progress.addendsReadable(peer, ofStep, slot, bucket, slice));
    }

    /** One chunk of what is {@link #readable} is to be added, if it is the last that is missing. */
    void read(int peer, long ofStep, int slot, int bucket, int chunk) {
        blaming(peer, () -> {
            boolean last = exchange.healthy(progress -> progress.addendArrived(peer, ofStep, slot, bucket, chunk))
                    .orElse(false);
            if (last) {
                reduce(ofStep, bucket, chunk);
            }
        });
    }

    /** The scalars of all of a peer's micro-batches, or of this rank's own. */
    void scalars(int peer, long ofStep, Scalars scalars) {
        blaming(peer, () -> advance(progress -> progress.scalarsArrived(peer, ofStep, scalars)));
    }

    /** All addends of a chunk of this rank's slice are here: adds them and tells everybody. */
    private void reduce(long ofStep, int bucket, int chunk) {
        Optional<StepProgress> healthy = exchange.healthy(progress -> progress);
        if (healthy.isEmpty()) {
            return;
        }
        SliceReducer slice = healthy.get().reducer(bucket);
        ByteBuffer own = healthy.get().ownSlice(bucket);
        slice.sum().add(chunk, own);
        exchange.healthyRun(progress -> slice.rearm(chunk));
        int start = chunk * plan.chunkFloats();
        ByteBuffer values =
                FloatSums.view(own, start, plan.buckets().get(bucket).chunkLength(rank, chunk));
        ByteBuffer wire = slice.sum().wire(chunk, own);
        exchange.healthyLinks().ifPresent(ways -> {
            for (int peer : exchange.peers()) {
                ways[peer].reduced(ofStep, bucket, chunk, values.duplicate(), wire.duplicate());
            }
        });
        // Last, so that a complete step has nothing left to hand over.
        advance(progress -> progress.reducedArrived(rank, ofStep, bucket, chunk));
    }

    /** Notes an arrival and completes the step if it was the last. */
    private void advance(Consumer<StepProgress> arrival) {
        exchange.healthy(progress -> {
                    arrival.accept(progress);
                    return progress.completion();
                })
                .ifPresent(Runnable::run);
    }

    /** A call from within this process: what it does wrong ends the generation, as it would on a connection. */
    private void blaming(int peer, Runnable arrival) {
        try {
            arrival.run();
            var unused = MappedFaults.raise();
        } catch (ExchangeException e) {
            exchange.lost(peer, e.getMessage());
        } catch (InternalError e) {
            // What the JVM makes of a page that is not there: some peer has cut its file short.
            exchange.fail(
                    new ExchangeException("shared memory of a peer cannot be read any more: " + e.getMessage(), e));
        }
    }

    /** Rank 0 says where the sum of a bucket is. */
    void commonSum(long ofStep, int bucket, ByteBuffer sum) {
        blaming(0, () -> advance(progress -> progress.commonSum(ofStep, bucket, sum)));
    }
}
