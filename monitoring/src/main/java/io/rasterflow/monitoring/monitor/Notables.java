package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;

/** The last events worth a line, in words. Bad samples that follow each other share one line. */
final class Notables {

    static final int CAPACITY = 200;

    private final Deque<Notable> lines = new ArrayDeque<>();
    private long lastId;

    void add(Event event) {
        if (event instanceof Event.RunStarted e) {
            String begun = e.origin().isEmpty() ? "resumed at step " + e.firstStep() : "begun from " + e.origin();
            String from = e.firstStep() > 0 ? begun : "started";
            line(
                    e,
                    e.firstStep(),
                    "run",
                    e.run() + " " + from + ", " + e.steps() + " steps of " + e.globalBatch() + " images");
        } else if (event instanceof Event.Validation e) {
            line(
                    e,
                    e.step(),
                    "validation",
                    format(
                            "loss %.4f over %d images in %.1f s%s",
                            e.loss(),
                            e.images(),
                            e.seconds(),
                            e.weights().equals(Event.Validation.EMA) ? ", averaged weights" : ""));
        } else if (event instanceof Event.Probe e) {
            line(
                    e,
                    e.step(),
                    "probe",
                    format("%s: top-1 %.2f %% in %.1f s", e.words(), 100 * e.accuracy(), e.seconds()));
        } else if (event instanceof Event.Checkpoint e) {
            line(
                    e,
                    e.step(),
                    "checkpoint",
                    format("%s, %.1f MB in %.2f s", e.directory(), e.bytes() / 1e6, e.seconds()));
        } else if (event instanceof Event.Membership e) {
            String what = e.forms()
                    ? "generation " + e.generation() + " with " + e.worldSize()
                            + (e.worldSize() == 1 ? " rank" : " ranks")
                    : e.member() + " is " + e.change();
            line(e, -1, "membership", e.detail() == null || e.detail().isBlank() ? what : what + ": " + e.detail());
        } else if (event instanceof Event.BadSample e) {
            badSample(e);
        } else if (event instanceof Event.Alarm e) {
            alarm(e);
        } else if (event instanceof Event.Action e) {
            line(e, e.step(), "action", e.words());
        } else if (event instanceof Event.RunEnded e) {
            String detail = e.detail() == null || e.detail().isBlank() ? "" : ": " + e.detail();
            line(e, e.step(), "run", e.outcome() + " at step " + e.step() + detail);
        }
    }

    /** A rank has become slow, or keeps up again. */
    void add(long timeMillis, long step, SlowRanks.Change change) {
        SlowRank rank = change.rank();
        String text = change.slow()
                ? format(
                        "rank %d (%s) takes %.1f times as long per micro-batch as the others; the difference is in %s",
                        rank.rank(), rank.node(), rank.ratio(), rank.part())
                : format("rank %d (%s) keeps up with the others again", rank.rank(), rank.node());
        push(new Notable(++lastId, timeMillis, step, "slow-rank", rank.node(), text, 1));
    }

    private void alarm(Event.Alarm e) {
        String name = e.alarm().replace('-', ' ') + (e.subject().isEmpty() ? "" : ", " + e.subject());
        if (e.raised()) {
            line(e, e.step(), "alarm", name + ": " + e.text());
        } else {
            line(e, e.step(), "alarm-over", name + " is over: " + e.text());
        }
    }

    private void badSample(Event.BadSample e) {
        int count = 1;
        if (!lines.isEmpty() && lines.getLast().kind().equals("bad-sample")) {
            count += lines.removeLast().count();
        }
        String text = e.shard() + " at " + e.offset() + " (" + e.key() + "): " + e.cause();
        push(new Notable(++lastId, e.timeMillis(), e.step(), "bad-sample", e.node(), text, count));
    }

    private void line(Event event, long step, String kind, String text) {
        push(new Notable(++lastId, event.timeMillis(), step, kind, event.node(), text, 1));
    }

    private void push(Notable line) {
        lines.addLast(line);
        if (lines.size() > CAPACITY) {
            lines.removeFirst();
        }
    }

    long lastId() {
        return lastId;
    }

    List<Notable> after(long id) {
        return lines.stream().filter(line -> line.id() > id).toList();
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
