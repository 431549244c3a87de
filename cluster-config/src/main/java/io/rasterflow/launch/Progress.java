package io.rasterflow.launch;

import io.rasterflow.monitoring.plot.Words;
import java.io.PrintStream;
import java.util.Locale;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** How far work of known length has come: a bar on a terminal, a line every ten seconds otherwise. */
public final class Progress implements AutoCloseable {
    private static final long LINE_EVERY_NANOS = 10_000_000_000L;
    private static final String CLEAR_LINE = "\r\033[2K";

    private final PrintStream out = System.out;
    private final String task;
    private final String unit;
    private final long total;
    private final ProgressBar bar;
    private final long start = System.nanoTime();
    private long lastLine = start;
    private boolean closed;

    /**
     * @param task one word
     * @param unit of {@code total}, in the plural
     */
    public Progress(String task, String unit, long total) {
        this.task = task;
        this.unit = unit;
        this.total = total;
        this.bar = Boolean.getBoolean("rasterflow.terminal") ? bar() : null;
    }

    private ProgressBar bar() {
        return new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total)
                .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                .setUpdateIntervalMillis(500)
                .hideEta()
                .setConsumer(new DelegatingProgressBarConsumer(
                        text -> out.print(CLEAR_LINE + text), Integer.getInteger("rasterflow.columns", 80) - 1))
                .build();
    }

    /** @param done how much is done by now */
    public void done(long done) {
        long now = System.nanoTime();
        double perSecond = done / Math.max(1e-9, (now - start) * 1e-9);
        String text = String.format(
                Locale.ROOT,
                "%.0f %s/s · %s left",
                perSecond,
                unit,
                Words.duration((total - done) / Math.max(1e-9, perSecond)));
        if (bar != null) {
            bar.stepTo(done);
            bar.setExtraMessage(" " + text);
        } else if (now - lastLine >= LINE_EVERY_NANOS) {
            lastLine = now;
            out.printf(Locale.ROOT, "%s %d/%d · %s%n", task, done, total, text);
        }
    }

    @Override
    public void close() {
        if (bar != null && !closed) {
            bar.close();
            out.println();
        }
        closed = true;
    }
}
