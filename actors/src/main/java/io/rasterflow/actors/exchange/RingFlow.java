package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * What of a {@link Ring} arrives at one rank, and what it sends on: the counterpart of the direct form in
 * {@link RankExchange}, whose lock guards the ring's bookkeeping. Sums and calls to links happen outside of it.
 */
final class RingFlow {

    private final RankExchange exchange;
    private final int rank;
    private final Ring ring;

    RingFlow(RankExchange exchange) {
        this.exchange = exchange;
        this.rank = exchange.rank();
        this.ring = new Ring(exchange.plan(), rank);
    }

    /** Under the lock. */
    void begin() {
        ring.begin();
    }

    /** Adds a bucket of a partial sum to this rank's; the last one sets the ring going. On the calling thread. */
    void publish(long step, int bucket, ByteBuffer sum) {
        if (!ring.contribute(bucket, sum)) {
            return;
        }
        for (Ring.Chunk chunk : ring.first(bucket)) {
            forward(FrameType.PARTIAL, step, chunk, ring.own(chunk));
        }
        exchange.healthy(progress -> ring.ownReady(bucket))
                .ifPresent(chunks -> chunks.forEach(chunk -> add(step, chunk)));
    }

    /** Where the payload of the neighbour's frame goes; under the lock. */
    ByteBuffer target(int peer, FrameHeader header, boolean current) {
        if (header.type() == FrameType.PARTIAL) {
            return ring.target(peer, header);
        }
        if (header.type() != FrameType.REDUCED || !current) {
            throw new ExchangeException("a frame of type " + header.type() + " inside a step");
        }
        return ring.finished(ring.chunk(peer, header));
    }

    /** The neighbour, in this process, hands over a chunk. */
    void handed(int peer, FrameType type, long step, Ring.Chunk chunk, ByteBuffer values) {
        exchange.healthy(progress -> type == FrameType.PARTIAL ? ring.staged(chunk) : ring.finished(chunk))
                .ifPresent(target -> target.put(values));
        arrived(peer, type, step, chunk);
    }

    /** The neighbour's chunk is where it belongs. */
    void arrived(int peer, FrameType type, long step, Ring.Chunk chunk) {
        if (type == FrameType.REDUCED) {
            keep(step, chunk);
            return;
        }
        Optional<Boolean> complete =
                exchange.healthy(progress -> ring.arrived(chunk, step, progress.isCurrent(peer, step)));
        if (complete.orElse(false)) {
            add(step, chunk);
        }
    }

    private void add(long step, Ring.Chunk chunk) {
        ByteBuffer sum = ring.add(chunk);
        if (chunk.slice() == rank) {
            ring.finished(chunk).put(sum);
            keep(step, chunk);
        } else {
            forward(FrameType.PARTIAL, step, chunk, sum);
        }
    }

    /** A finished chunk goes on, unless it was finished at the neighbour, and is kept. */
    private void keep(long step, Ring.Chunk chunk) {
        if (chunk.slice() != ring.next()) {
            forward(FrameType.REDUCED, step, chunk, ring.finished(chunk));
        }
        exchange.arrivals().keep(chunk.slice(), step, chunk.bucket(), chunk.number(), ring.finished(chunk));
    }

    private void forward(FrameType type, long step, Ring.Chunk chunk, ByteBuffer values) {
        exchange.healthyLinks().ifPresent(ways -> ways[ring.next()].ring(type, step, chunk, values));
    }
}
