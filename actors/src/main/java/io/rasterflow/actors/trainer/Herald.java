package io.rasterflow.actors.trainer;

import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.membership.Pace;
import io.rasterflow.actors.membership.Standing;
import java.time.Duration;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Tells the coordinator, again and again, where its trainer stands: the trainer's own thread may be busy with a micro-batch
 * for seconds. Whoever the coordinator is by then hears it.
 */
final class Herald {

    sealed interface Command {}

    /** The trainer stands somewhere else now. */
    record Tell(Standing standing) implements Command {}

    private record Again() implements Command {}

    private static final Duration INTERVAL = Duration.ofMillis(Pace.ANNOUNCE_MILLIS);

    private final TrainerNode node;
    private final ActorRef<Trainer.Command> trainer;
    private Standing standing;

    /** @param standing where the trainer stands at first */
    static Behavior<Command> create(TrainerNode node, ActorRef<Trainer.Command> trainer, Standing standing) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Again(), INTERVAL);
            return new Herald(context, node, trainer, standing).announcing();
        }));
    }

    private Herald(
            ActorContext<Command> context, TrainerNode node, ActorRef<Trainer.Command> trainer, Standing standing) {
        this.node = node;
        this.trainer = trainer;
        this.standing = standing;
        context.watch(trainer);
    }

    private Behavior<Command> announcing() {
        announce();
        return Behaviors.receive(Command.class)
                .onMessage(Tell.class, this::onTell)
                .onMessage(Again.class, message -> announce())
                .onSignal(org.apache.pekko.actor.typed.Terminated.class, ended -> Behaviors.stopped())
                .build();
    }

    private Behavior<Command> onTell(Tell message) {
        standing = message.standing();
        return announce();
    }

    private Behavior<Command> announce() {
        node.coordinator().tell(new Coordinator.Announce(standing, node.identity(), trainer));
        return Behaviors.same();
    }
}
