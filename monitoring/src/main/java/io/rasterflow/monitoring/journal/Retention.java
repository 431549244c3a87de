package io.rasterflow.monitoring.journal;

/**
 * How much of a node's journal is kept. A journal has a file for every hour in which something was written; the first, which
 * tells what is trained, and the newest always stay, and of the others the oldest go. An audit then says which steps it can no
 * longer prove.
 *
 * @param days after which a file may go; 0 for never
 * @param bytes of the disk that the files together may take; 0 for any number
 */
public record Retention(double days, long bytes) {

    /** Everything is kept. */
    public static final Retention ALL = new Retention(0, 0);

    public Retention {
        if (!(days >= 0) || Double.isInfinite(days)) {
            throw new IllegalArgumentException("monitor.journal.days must not be negative but is " + days);
        }
        if (bytes < 0) {
            throw new IllegalArgumentException("monitor.journal.bytes must not be negative but is " + bytes);
        }
    }

    boolean keepsAll() {
        return days == 0 && bytes == 0;
    }
}
