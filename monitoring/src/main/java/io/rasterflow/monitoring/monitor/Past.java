package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.alarm.Alarms;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journals;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * What a monitor begins with when its run has a past.
 *
 * @param state the run so far
 * @param watch its alarms
 * @param known the last events of {@code state}: what nodes tell the monitor while journals are read stands in these as well
 * @param whole whether the start of the run and the coordinator's journal are in it
 */
public record Past(RunState state, Optional<MonitorActor.Watch> watch, Set<Event> known, boolean whole) {

    /** What nodes told before that has arrived, or been buffered for a monitor that is there again. */
    private static final long RECENT_MILLIS = 10_000;

    /** What was folded before. */
    static Past of(RunState state, Optional<MonitorActor.Watch> watch) {
        return new Past(state, watch, Set.of(), false);
    }

    /** Nothing. */
    public static Past none(MonitorActor.Watch watch) {
        return of(new RunState(), Optional.of(watch));
    }

    /**
     * What the journals of a run say, as far as they can be read here.
     *
     * @param alarms of the run, which take it in too
     * @param journal see {@link MonitorActor.Watch}
     * @throws IOException when the folder cannot be listed
     */
    public static Past of(Path runDirectory, Alarms alarms, Consumer<Event.Alarm> journal) throws IOException {
        RunState state = new RunState();
        Set<Event> known = new HashSet<>();
        Set<Class<?>> seen = new HashSet<>();
        long recent = System.currentTimeMillis() - RECENT_MILLIS;
        try (Stream<Event> events = Journals.readWithoutSamples(runDirectory)) {
            events.forEach(event -> {
                state.apply(event);
                alarms.replay(event);
                seen.add(event.getClass());
                if (event.timeMillis() > recent) {
                    known.add(event);
                }
            });
        }
        boolean whole = seen.containsAll(Set.of(Event.RunStarted.class, Event.Membership.class));
        return new Past(state, Optional.of(new MonitorActor.Watch(alarms, journal)), known, whole);
    }
}
