package io.rasterflow.actors.exchange;

import java.util.concurrent.CompletionStage;

/** Gives a replica's state to peers that fetch it. */
public interface StateSource {

    /**
     * Asked once for every fetch, on an event loop: must not block. The state may come much later, when the step is over;
     * the message of a failure reaches the fetching side.
     */
    CompletionStage<PeerState> state();
}
