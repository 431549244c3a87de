package io.rasterflow.launch;

import io.rasterflow.actors.finetune.FineTuneProgress;
import io.rasterflow.actors.finetune.FineTuneReport;
import io.rasterflow.monitoring.plot.Words;
import java.io.PrintStream;
import java.util.Locale;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows a fine-tuning to the person who started it: a progress bar on a terminal, plain lines otherwise. */
public final class FineTuneConsole implements FineTuneProgress, AutoCloseable {

    private static final long LINE_EVERY_NANOS = 10_000_000_000L;
    private static final String CLEAR_LINE = "\r\033[2K";

    private final PrintStream out;
    private final boolean terminal;
    private final long startNanos = System.nanoTime();
    private ProgressBar bar;
    private long lastLineNanos = startNanos;

    /** @param terminal whether {@code out} is one */
    public FineTuneConsole(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    @Override
    public void stepped(long step, long steps, double loss, double imagesPerSecond) {
        long now = System.nanoTime();
        double left = (now - startNanos) * 1e-9 / step * (steps - step);
        String text = String.format(
                Locale.ROOT, "loss %.4f · %.0f images/s · %s left", loss, imagesPerSecond, Words.duration(left));
        if (terminal) {
            if (bar == null) {
                bar = bar(steps);
            }
            bar.stepTo(step);
            bar.setExtraMessage(" " + text);
        } else if (now - lastLineNanos >= LINE_EVERY_NANOS) {
            lastLineNanos = now;
            out.printf(Locale.ROOT, "step %d/%d · %s%n", step, steps, text);
        }
    }

    private ProgressBar bar(long steps) {
        return new ProgressBarBuilder()
                .setTaskName("finetune")
                .setInitialMax(steps)
                .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                .setUpdateIntervalMillis(500)
                .hideEta()
                .setConsumer(new DelegatingProgressBarConsumer(
                        text -> out.print(CLEAR_LINE + text), Integer.getInteger("rasterflow.columns", 80) - 1))
                .build();
    }

    @Override
    public void evaluated(FineTuneReport.Epoch epoch) {
        if (bar != null) {
            out.print(CLEAR_LINE);
        }
        out.printf(
                Locale.ROOT,
                "epoch %d · training loss %.4f · validation loss %.4f · top-1 %.2f %% · top-5 %.2f %%%n",
                epoch.epoch(),
                epoch.trainLoss(),
                epoch.validationLoss(),
                100 * epoch.accuracy(),
                100 * epoch.top5());
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            out.println();
        }
    }
}
