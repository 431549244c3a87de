package io.rasterflow.actors.membership;

/** How often the protocol speaks; actors, simulations and {@code plan} share these. Milliseconds. */
public final class Pace {

    /** Between two announcements of a trainer of which nothing has changed. */
    public static final int ANNOUNCE_MILLIS = 500;

    /** Between two looks around of the coordinator. */
    public static final int TICK_MILLIS = 200;

    /** An order whose effect does not show is said again after so long, then after twice as long, */
    static final int REPEAT_MILLIS = 300;
    /** and so on up to this. */
    static final int LONGEST_REPEAT_MILLIS = 2_400;

    private Pace() {}
}
