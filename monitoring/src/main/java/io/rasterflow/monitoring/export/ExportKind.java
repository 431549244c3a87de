package io.rasterflow.monitoring.export;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.MetricsExport.Format;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** In what a run can be written for other tools while it goes on. */
public enum ExportKind {
    /** An event file for TensorBoard, in a folder of its own. */
    TENSORBOARD,
    /** One JSON object a line, as in the journal. */
    JSONL,
    /** One row an event and one column a field. */
    CSV;

    /**
     * Reads {@code tensorboard}, {@code jsonl} or {@code csv}.
     *
     * @throws IllegalArgumentException with one line, if it is another word
     */
    public static ExportKind of(String text) {
        return Arrays.stream(values())
                .filter(kind -> kind.toString().equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown export '" + text + "': choose of "
                        + Arrays.stream(values()).map(ExportKind::toString).collect(Collectors.joining(", "))));
    }

    /** Whether the ledger of samples is written, too. */
    boolean takesSamples() {
        return this != TENSORBOARD;
    }

    /** Below the run directory. */
    Path folder(Path run) {
        return this == TENSORBOARD ? run.resolve("tensorboard") : run;
    }

    /** Of the file, which TensorBoard knows by when it begins. */
    String name(Event first) {
        return switch (this) {
            case TENSORBOARD -> TensorBoardSink.name(first);
            case JSONL -> "metrics.jsonl";
            case CSV -> "metrics.csv";
        };
    }

    EventSink open(Path target, Path run, Event first) throws IOException {
        return switch (this) {
            case TENSORBOARD -> new TensorBoardSink(target, run, first);
            case JSONL -> new TextSink(target, Format.JSONL);
            case CSV -> new TextSink(target, Format.CSV);
        };
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
