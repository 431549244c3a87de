package io.rasterflow.actors.membership;

/** Decides when the same thing is said again: after pauses that double, until something else is said. */
final class Repetition {

    private Object what = "";
    private long due;
    private long pause;
    private int times;

    /** Whether to say it now; if so it counts as said. */
    boolean due(Object thing, long now) {
        if (!thing.equals(what)) {
            what = thing;
            pause = Pace.REPEAT_MILLIS;
            times = 0;
        } else if (now < due) {
            return false;
        } else {
            pause = Math.min(2 * pause, Pace.LONGEST_REPEAT_MILLIS);
        }
        due = now + pause;
        times++;
        return true;
    }

    /** How often the last thing was said. */
    int times() {
        return times;
    }
}
