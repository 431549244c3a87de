package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.RunStatus.PastAlarm;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The alarms of a run: those that stand, and the last of those that are over. */
final class AlarmBook {

    private static final int PAST = 50;

    /** By kind and subject, in the order in which they were raised. */
    private final Map<List<String>, Event.Alarm> standing = new LinkedHashMap<>();

    private final Newest<PastAlarm> past = new Newest<>(PAST);

    void add(Event.Alarm alarm) {
        List<String> key = List.of(alarm.alarm(), alarm.subject());
        if (alarm.raised()) {
            standing.put(key, alarm);
            return;
        }
        Event.Alarm raised = standing.remove(key);
        if (raised != null) {
            past.add(new PastAlarm(
                    raised.alarm(),
                    raised.subject(),
                    raised.timeMillis(),
                    raised.step(),
                    raised.text(),
                    alarm.timeMillis(),
                    alarm.step(),
                    alarm.text()));
        }
    }

    /** The oldest first. */
    List<Event.Alarm> standing() {
        return List.copyOf(standing.values());
    }

    /** The newest first. */
    List<PastAlarm> past() {
        return past.list();
    }
}
