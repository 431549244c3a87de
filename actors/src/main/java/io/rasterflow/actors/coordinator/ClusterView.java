package io.rasterflow.actors.coordinator;

import io.rasterflow.actors.membership.Electorate;
import org.apache.pekko.actor.typed.ActorRef;

/** What the coordinator knows of the cluster's nodes. */
public interface ClusterView extends Electorate {

    /** A node has said that it is there. */
    void heardNode(ActorRef<?> from);

    /** A trainer of that process has said where it stands. */
    void heardTrainer(String processId, ActorRef<?> from);

    /** A trainer's process is known to be gone: its node need not be waited for. */
    void gone(String processId);
}
