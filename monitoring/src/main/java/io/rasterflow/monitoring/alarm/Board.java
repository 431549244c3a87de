package io.rasterflow.monitoring.alarm;

import io.rasterflow.monitoring.event.Event;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** What is raised now. Detectors raise and clear here; nothing comes of it while journals are read. Not thread-safe. */
final class Board {

    private record Key(String alarm, String subject) {}

    private final String node;
    private final Set<String> off;
    private final Map<Key, Event.Alarm> raised = new LinkedHashMap<>();
    /** Of those, what a journal says and nobody has seen since. */
    private final Set<Key> inherited = new HashSet<>();

    private final List<Event.Alarm> news = new ArrayList<>();
    private boolean live;
    private long nowMillis;
    private long step;

    /**
     * @param node that says so
     * @param off names of alarms that are not raised
     */
    Board(String node, Set<String> off) {
        this.node = node;
        this.off = off;
    }

    /** Whether alarms come of what is judged: not while journals are read, where they stand themselves. */
    boolean live() {
        return live;
    }

    void enter(boolean isLive, long now) {
        live = isLive;
        nowMillis = now;
    }

    void at(long lastStep) {
        step = lastStep;
    }

    /** What an alarm in a journal says. */
    void set(Event.Alarm alarm) {
        Key key = new Key(alarm.alarm(), alarm.subject());
        if (alarm.raised()) {
            raised.put(key, alarm);
        } else {
            raised.remove(key);
        }
        if (alarm.raised() && !live) {
            inherited.add(key);
        } else {
            inherited.remove(key);
        }
    }

    boolean isRaised(AlarmKind kind, String subject) {
        return raised.containsKey(new Key(kind.id(), subject));
    }

    /**
     * Raises an alarm that is not raised when {@code over}, clears one that is when {@code under}; between the two nothing
     * changes.
     */
    void judge(
            AlarmKind kind,
            String subject,
            boolean over,
            boolean under,
            double value,
            double threshold,
            Supplier<String> text) {
        boolean is = isRaised(kind, subject);
        if (is ? under && !over : over) {
            say(kind.id(), subject, !is, value, threshold, text.get(), is ? "" : kind.advice());
        }
    }

    /** Clears all alarms of a kind whose subject is such. */
    void clear(AlarmKind kind, Predicate<String> subjects, String text) {
        if (!raised.isEmpty()) { // With every step it mostly is.
            List.copyOf(raised.values()).stream()
                    .filter(alarm -> alarm.alarm().equals(kind.id()) && subjects.test(alarm.subject()))
                    .forEach(alarm -> over(alarm, text));
        }
    }

    /** The run starts. What this monitor has seen of a machine stands; all else is of the past. */
    void start() {
        for (Event.Alarm alarm : List.copyOf(raised.values())) {
            boolean ofMachine =
                    AlarmKind.of(alarm.alarm()).map(AlarmKind::ofMachine).orElse(false);
            if (!ofMachine || inherited.contains(new Key(alarm.alarm(), alarm.subject()))) {
                over(alarm, "the run is started again");
            }
        }
    }

    private void over(Event.Alarm alarm, String text) {
        say(alarm.alarm(), alarm.subject(), false, Double.NaN, alarm.threshold(), text, "");
    }

    private void say(
            String alarm, String subject, boolean raise, double value, double threshold, String text, String advice) {
        if (live && !(raise && off.contains(alarm))) {
            Event.Alarm said =
                    new Event.Alarm(nowMillis, node, alarm, subject, raise, step, value, threshold, text, advice);
            set(said);
            news.add(said);
        }
    }

    /** What was raised and cleared since it was last asked. */
    List<Event.Alarm> news() {
        List<Event.Alarm> all = List.copyOf(news);
        news.clear();
        return all;
    }

    static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
