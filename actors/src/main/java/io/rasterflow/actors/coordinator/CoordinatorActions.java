package io.rasterflow.actors.coordinator;

import io.rasterflow.monitoring.action.ActionAnswer;
import io.rasterflow.monitoring.action.ActionRequest;
import io.rasterflow.monitoring.action.RunActions;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** Asks the coordinator, wherever it is. */
public final class CoordinatorActions implements RunActions {

    private static final Duration PATIENCE = Duration.ofSeconds(4);

    private final ActorSystem<?> system;
    private final ActorRef<Coordinator.Command> coordinator;

    public CoordinatorActions(ActorSystem<?> system, ActorRef<Coordinator.Command> coordinator) {
        this.system = system;
        this.coordinator = coordinator;
    }

    @Override
    public CompletionStage<ActionAnswer> ask(ActionRequest request) {
        return AskPattern.<Coordinator.Command, Coordinator.Answered>ask(
                        coordinator, replyTo -> new Coordinator.Ask(request, replyTo), PATIENCE, system.scheduler())
                .thenApply(Coordinator.Answered::answer);
    }
}
