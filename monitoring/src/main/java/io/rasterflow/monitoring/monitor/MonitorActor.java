package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import java.util.LinkedHashSet;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * Follows the run. Every node journals its own events and then tells them to this actor, which keeps nothing on disk: after
 * a move to another node its state is folded again from journals or simply begins anew.
 */
public final class MonitorActor extends AbstractBehavior<MonitorActor.Command> {

    public sealed interface Command extends MonitorMessage {}

    /** Something happened, on this node or another. */
    @SuppressWarnings("JavaLangClash") // always written MonitorActor.Record
    public record Record(Event event) implements Command {}

    /** Asks for every event from now on; ends when the subscriber stops. */
    public record Subscribe(ActorRef<Event> subscriber) implements Command {}

    /** Asks for the run as it stands. */
    public record GetStatus(ActorRef<RunStatus> replyTo) implements Command {}

    /** Asks for what changed since {@code cursor}. */
    public record GetUpdate(RunUpdate.Cursor cursor, ActorRef<RunUpdate> replyTo) implements Command {}

    /** Asks for what the run came to so far. */
    public record GetSummary(ActorRef<Summarised> replyTo) implements Command {}

    public record Summarised(RunSummary summary) implements MonitorMessage {}

    private record SubscriberStopped(ActorRef<Event> subscriber) implements Command {}

    public static Behavior<Command> create() {
        return create(new RunState());
    }

    /** Goes on from a state that was folded from journals, as a resumed run does; the actor owns it from here. */
    public static Behavior<Command> create(RunState state) {
        return Behaviors.setup(context -> new MonitorActor(context, state));
    }

    private final RunState state;
    private final Set<ActorRef<Event>> subscribers = new LinkedHashSet<>();

    private MonitorActor(ActorContext<Command> context, RunState state) {
        super(context);
        this.state = state;
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Record.class, this::onRecord)
                .onMessage(Subscribe.class, this::onSubscribe)
                .onMessage(SubscriberStopped.class, this::onSubscriberStopped)
                .onMessage(GetStatus.class, this::onGetStatus)
                .onMessage(GetUpdate.class, this::onGetUpdate)
                .onMessage(GetSummary.class, this::onGetSummary)
                .build();
    }

    private Behavior<Command> onRecord(Record record) {
        state.apply(record.event());
        subscribers.forEach(subscriber -> subscriber.tell(record.event()));
        return this;
    }

    private Behavior<Command> onSubscribe(Subscribe command) {
        if (subscribers.add(command.subscriber())) {
            getContext().watchWith(command.subscriber(), new SubscriberStopped(command.subscriber()));
        }
        return this;
    }

    private Behavior<Command> onSubscriberStopped(SubscriberStopped stopped) {
        subscribers.remove(stopped.subscriber());
        return this;
    }

    private Behavior<Command> onGetStatus(GetStatus command) {
        command.replyTo().tell(state.status());
        return this;
    }

    private Behavior<Command> onGetUpdate(GetUpdate command) {
        command.replyTo().tell(state.since(command.cursor()));
        return this;
    }

    private Behavior<Command> onGetSummary(GetSummary command) {
        command.replyTo().tell(new Summarised(state.summary()));
        return this;
    }
}
