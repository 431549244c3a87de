package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.alarm.Alarms;
import io.rasterflow.monitoring.alarm.Straggler;
import io.rasterflow.monitoring.event.Event;
import java.time.Duration;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * Follows the run. Every node journals its own events and then tells them to this actor, which adds what only it can see:
 * alarms. It keeps nothing on disk itself: after a move to another node its state is folded again from journals or simply
 * begins anew.
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

    /** Asks for the picture of a quarantined sample. */
    public record GetThumbnail(String name, ActorRef<Thumbnail> replyTo) implements Command {}

    /** @param png in Base64; empty where there is none */
    public record Thumbnail(String png) implements MonitorMessage {}

    /** Asks for what the run came to so far. */
    public record GetSummary(ActorRef<Summarised> replyTo) implements Command {}

    public record Summarised(RunSummary summary) implements MonitorMessage {}

    private record Tick() implements Command {}

    private record Ready(Past past) implements Command {}

    private record Unready(Throwable cause) implements Command {}

    private record SubscriberStopped(ActorRef<Event> subscriber) implements Command {}

    /**
     * What watches a run, and is told when it raises or clears an alarm: at once, before anyone else.
     *
     * @param alarms the actor owns them from here
     */
    public record Watch(Alarms alarms, Consumer<Event.Alarm> journal) {}

    private static final Duration TICK = Duration.ofSeconds(5);
    /** Commands that wait for the past; what nodes report beyond them stands in their journals. */
    private static final int WAITING = 100_000;

    public static Behavior<Command> create() {
        return create(new RunState());
    }

    /** Goes on from a state that was folded from journals, as a resumed run does; the actor owns it from here. */
    public static Behavior<Command> create(RunState state) {
        return Behaviors.setup(context -> new MonitorActor(context, Past.of(state, Optional.empty())));
    }

    /** The same, with alarms. */
    public static Behavior<Command> create(RunState state, Watch watch) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Tick(), TICK);
            return new MonitorActor(context, Past.of(state, Optional.of(watch)));
        }));
    }

    /**
     * The same, with what came before, which may be long in coming: journals are read, or the run is not known yet. Until then
     * nobody gets an answer and nothing is forgotten.
     *
     * @param past the actor owns it from here; without it, the monitor begins anew and has no alarms
     */
    public static Behavior<Command> create(CompletionStage<Past> past) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> Behaviors.withStash(WAITING, stash -> {
            context.pipeToSelf(past, (done, failure) -> failure == null ? new Ready(done) : new Unready(failure));
            return Behaviors.receive(Command.class)
                    .onMessage(Ready.class, message -> {
                        timers.startTimerWithFixedDelay(new Tick(), TICK);
                        return stash.unstashAll(new MonitorActor(context, message.past()));
                    })
                    .onMessage(Unready.class, message -> {
                        context.getLog().error("the monitor begins anew, without alarms", message.cause());
                        return stash.unstashAll(new MonitorActor(context, Past.of(new RunState(), Optional.empty())));
                    })
                    .onAnyMessage(message -> {
                        if (!stash.isFull()) {
                            stash.stash(message);
                        }
                        return Behaviors.same();
                    })
                    .build();
        })));
    }

    private final RunState state;
    private final Optional<Watch> watch;
    /** Events that came from journals and may be told once more. */
    private final Set<Event> known;

    private final Set<ActorRef<Event>> subscribers = new LinkedHashSet<>();

    private MonitorActor(ActorContext<Command> context, Past past) {
        super(context);
        this.state = past.state();
        this.watch = past.watch();
        this.known = new HashSet<>(past.known());
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Record.class, this::onRecord)
                .onMessage(Tick.class, tick -> onTick())
                .onMessage(Subscribe.class, this::onSubscribe)
                .onMessage(SubscriberStopped.class, this::onSubscriberStopped)
                .onMessage(GetStatus.class, this::onGetStatus)
                .onMessage(GetUpdate.class, this::onGetUpdate)
                .onMessage(GetThumbnail.class, this::onGetThumbnail)
                .onMessage(GetSummary.class, this::onGetSummary)
                .build();
    }

    private Behavior<Command> onRecord(Record record) {
        if (!known.isEmpty() && known.remove(record.event())) {
            return this;
        }
        show(record.event());
        watch.ifPresent(watching -> {
            long now = System.currentTimeMillis();
            raise(watching, watching.alarms().add(record.event(), now));
            if (record.event() instanceof Event.Step step && step.rank() == 0) {
                List<Straggler> slow = state.slowRanks().stream()
                        .map(rank -> new Straggler(rank.rank(), rank.node(), rank.ratio(), rank.part()))
                        .toList();
                raise(watching, watching.alarms().stragglers(slow, now));
            }
        });
        return this;
    }

    private Behavior<Command> onTick() {
        known.clear();
        watch.ifPresent(
                watching -> raise(watching, watching.alarms().tick(System.currentTimeMillis(), TICK.toSeconds())));
        return this;
    }

    private void raise(Watch watching, List<Event.Alarm> news) {
        news.forEach(alarm -> {
            watching.journal().accept(alarm);
            show(alarm);
        });
    }

    private void show(Event event) {
        state.apply(event);
        subscribers.forEach(subscriber -> subscriber.tell(event));
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

    private Behavior<Command> onGetThumbnail(GetThumbnail command) {
        command.replyTo()
                .tell(new Thumbnail(state.thumbnail(command.name())
                        .map(Base64.getEncoder()::encodeToString)
                        .orElse("")));
        return this;
    }

    private Behavior<Command> onGetSummary(GetSummary command) {
        command.replyTo().tell(new Summarised(state.summary()));
        return this;
    }
}
