package io.rasterflow.actors.bench;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;

/**
 * Whether the just-in-time compiler still works on what is to be measured: it takes cores of its own, and what it works on
 * is slow until then.
 */
public final class WarmUp {

    private static final long WINDOW_NANOS = 2_000_000_000;
    private static final long PATIENCE_NANOS = 60_000_000_000L;
    /** Part of a window that the compiler may take. */
    private static final double QUIET = 0.03;

    private final CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    private final long begun = System.nanoTime();
    private long windowBegun = begun;
    private long compiledBefore = compiled();
    private boolean settled;

    /** False until the compiler was nearly idle for two seconds, or a minute is over. */
    public boolean settled() {
        long now = System.nanoTime();
        if (now - windowBegun >= WINDOW_NANOS) {
            long nanos = (compiled() - compiledBefore) * 1_000_000;
            settled |= nanos < QUIET * (now - windowBegun) || now - begun > PATIENCE_NANOS;
            windowBegun = now;
            compiledBefore = compiled();
        }
        return settled;
    }

    /** Milliseconds. */
    private long compiled() {
        return compiler == null ? 0 : compiler.getTotalCompilationTime();
    }
}
