package io.rasterflow.cli;

import java.io.PrintStream;
import java.util.Locale;

/** How far one piece of work is: a line that is written over on a terminal, a plain line now and then otherwise. */
final class Progress {
    private static final long TERMINAL_MILLIS = 500;
    private static final long PLAIN_MILLIS = 10_000;

    private final PrintStream out;
    private final String what;
    private final boolean terminal;
    private long lastMillis = System.currentTimeMillis();

    Progress(PrintStream out, String what) {
        this.out = out;
        this.what = what;
        terminal = Boolean.getBoolean("rasterflow.terminal");
    }

    void at(double fraction) {
        long now = System.currentTimeMillis();
        if (now - lastMillis >= (terminal ? TERMINAL_MILLIS : PLAIN_MILLIS)) {
            lastMillis = now;
            String text = String.format(Locale.ROOT, "%s %3.0f %%", what, 100 * fraction);
            if (terminal) {
                out.print("\r\033[2K" + text);
                out.flush();
            } else {
                out.println(text);
            }
        }
    }

    /** Makes room for other lines. */
    void clear() {
        if (terminal) {
            out.print("\r\033[2K");
        }
    }
}
