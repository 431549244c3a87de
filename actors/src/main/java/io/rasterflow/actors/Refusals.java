package io.rasterflow.actors;

import java.net.SocketAddress;
import org.slf4j.Logger;

/**
 * Lines in the log about connections that a port turns away: one for each, unless there are many, so that whoever knocks
 * without end fills no disk.
 */
public final class Refusals {

    /** So many at once, then one a second. */
    private static final int LINES = 20;

    private final Logger log;
    private double lines = LINES;
    private long saidAt = System.nanoTime();
    private long unsaid;

    public Refusals(Logger log) {
        this.log = log;
    }

    /** @param port which one, such as {@code the control port 10.0.0.1:7355} */
    public synchronized void add(SocketAddress stranger, String port, String fault) {
        long now = System.nanoTime();
        lines = Math.min(LINES, lines + (now - saidAt) * 1e-9);
        saidAt = now;
        if (lines < 1) {
            unsaid++;
            return;
        }
        lines--;
        String before = unsaid == 0 ? "" : " (and " + unsaid + " others before)";
        unsaid = 0;
        log.warn("refused a connection of {} to {}: {}{}", stranger, port, fault, before);
    }
}
