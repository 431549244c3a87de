package io.rasterflow.actors.trainer;

import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.Generation;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a replica comes to the exchanges of its generations: when it has a place there, or before, if it was told to expect
 * one while it trains in the last. Connecting goes on on another thread, for it makes memory that may be large. Confined to
 * the trainer.
 */
final class Connections implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);

    private final TrainerNode node;
    private final List<Integer> bucketFloats;
    private Optional<Ahead> ahead = Optional.empty();

    private record Ahead(Generation generation, CompletionStage<Exchange> connecting) {}

    /** @param bucketFloats of the replica's gradient */
    Connections(TrainerNode node, List<Integer> bucketFloats) {
        this.node = node;
        this.bucketFloats = bucketFloats;
    }

    /**
     * Connects to the ranks of a generation that is to come, if that is not under way; to those of another one no more.
     *
     * @param connected is run when all are, on any thread
     */
    void expect(Generation generation, int rank, Runnable connected) {
        if (ahead.filter(some -> some.generation().equals(generation)).isPresent()) {
            return;
        }
        close();
        CompletionStage<Exchange> connecting = connect(generation, rank);
        ahead = Optional.of(new Ahead(generation, connecting));
        connecting.whenComplete((exchange, failure) -> {
            if (failure == null) {
                connected.run();
            } else {
                LOG.debug("is not connected to generation {}", generation.number(), failure);
            }
        });
    }

    /** Whether that generation is the one that is expected. */
    boolean expects(long generation) {
        return ahead.filter(some -> some.generation().number() == generation).isPresent();
    }

    /** The exchange of a generation in which the replica has a place, also one that has been expected. It is the caller's. */
    CompletionStage<Exchange> of(Generation generation, int rank) {
        Optional<Ahead> expected = ahead.filter(some -> some.generation().equals(generation));
        if (expected.isEmpty()) {
            close();
        }
        ahead = Optional.empty();
        return expected.map(Ahead::connecting).orElseGet(() -> connect(generation, rank));
    }

    /** Generations up to that one are over: whoever is in one of them need not wait for this replica. */
    void over(long generation) {
        if (ahead.filter(some -> some.generation().number() <= generation).isPresent()) {
            close();
        }
    }

    private CompletionStage<Exchange> connect(Generation generation, int rank) {
        return CompletableFuture.supplyAsync(() -> node.dataPlane().join(generation, rank, bucketFloats), node.io())
                .thenCompose(joining -> joining);
    }

    /** Leaves the exchange that was expected, also if it comes later. */
    @Override
    public void close() {
        ahead.ifPresent(some -> {
            var unused = some.connecting().thenAccept(Exchange::close);
        });
        ahead = Optional.empty();
    }
}
