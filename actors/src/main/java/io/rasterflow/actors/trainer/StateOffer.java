package io.rasterflow.actors.trainer;

import io.rasterflow.actors.exchange.PeerState;
import io.rasterflow.actors.exchange.StateSource;
import io.rasterflow.actors.membership.Member;
import io.rasterflow.model.Replica;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A replica's state for peers that take it. A rank that knows that it will be asked copies it before its first step, so
 * that nobody waits until its micro-batch is computed. Peers ask from any thread; the rest is confined to the trainer.
 */
final class StateOffer implements StateSource {

    private static final Logger LOG = LoggerFactory.getLogger(StateOffer.class);

    private final Replica replica;
    private final Member member;
    private final Consumer<CompletableFuture<PeerState>> asked;
    private volatile Optional<PeerState> ready = Optional.empty();

    /** @param asked has the trainer {@link #answer}, where no copy is ready */
    StateOffer(Replica replica, Member member, Consumer<CompletableFuture<PeerState>> asked) {
        this.replica = replica;
        this.member = member;
        this.asked = asked;
    }

    @Override
    public CompletionStage<PeerState> state() {
        CompletableFuture<PeerState> answer = new CompletableFuture<>();
        ready.ifPresentOrElse(answer::complete, () -> asked.accept(answer));
        return answer;
    }

    /** With the state as it is. */
    void answer(CompletableFuture<PeerState> question) {
        try {
            question.complete(copy());
        } catch (RuntimeException | OutOfMemoryError e) {
            question.completeExceptionally(e);
        }
    }

    /** Copies the state for all that ask until it is withdrawn; if there is no memory for it they are told when they ask. */
    void prepare() {
        try {
            ready = Optional.of(copy());
        } catch (OutOfMemoryError e) {
            LOG.warn("the state is not copied before it is asked for: {}", e.getMessage());
        }
    }

    private PeerState copy() {
        return ReplicaState.encode(replica.snapshot(), member.digest());
    }

    /** The state is about to change, or nobody will ask any more. */
    void withdraw() {
        ready = Optional.empty();
    }
}
