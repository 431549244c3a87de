package io.rasterflow.monitoring.plot;

import io.rasterflow.monitoring.science.Prediction;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.function.DoubleFunction;

/** Figures and times as people read them. */
public final class Words {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final String[] PREFIXES = {"", "k", "M", "G", "T", "P"};
    private static final double THOUSAND = 1000;

    private Words() {}

    /** As {@link String#format}, the same in every country. */
    public static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    /** Such as {@code 2026-01-02 03:04:05 UTC}. */
    public static String time(long millis) {
        return TIME.format(Instant.ofEpochMilli(millis)) + " UTC";
    }

    /** Such as {@code 4 min 05 s}; {@code ?} where it is not known. */
    public static String duration(double seconds) {
        if (!Double.isFinite(seconds)) {
            return "?";
        }
        long whole = Math.round(seconds);
        if (whole < 60) {
            return whole + " s";
        }
        return whole < 3600
                ? format("%d min %02d s", whole / 60, whole % 60)
                : format("%d h %02d min", whole / 3600, whole % 3600 / 60);
    }

    /** Decimal units, such as {@code 25.7 MB}. */
    public static String bytes(double bytes) {
        int prefix = 0;
        double rest = bytes;
        while (rest >= THOUSAND && prefix < PREFIXES.length - 1) {
            rest /= THOUSAND;
            prefix++;
        }
        return format(prefix == 0 ? "%.0f %sB" : "%.1f %sB", rest, PREFIXES[prefix]);
    }

    /** A loss; {@code -} where it is not known. */
    public static String loss(double loss) {
        return Double.isNaN(loss) ? "-" : format("%.4f", loss);
    }

    /** A fraction in percent; {@code -} where it is not known. */
    public static String percent(double fraction) {
        return Double.isNaN(fraction) ? "-" : format("%.2f %%", 100 * fraction);
    }

    /** What is expected and how sure that is, such as {@code 0.3660 (95 %: 0.3510 to 0.3790)}. */
    public static String between(Prediction prediction, DoubleFunction<String> words) {
        return format(
                "%s (95 %%: %s to %s)",
                words.apply(prediction.value()),
                words.apply(prediction.interval().low()),
                words.apply(prediction.interval().high()));
    }
}
