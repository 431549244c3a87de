package io.rasterflow.monitoring.journal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoField;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of a node's journal, one for every hour in which something was written, named for it in UTC
 * ({@code 20261130-09F.cq4}). Older programs wrote one a day ({@code 20261130F.cq4}); a journal that they began goes on so.
 */
final class JournalFiles {

    private static final Logger log = LoggerFactory.getLogger(JournalFiles.class);
    private static final DateTimeFormatter NAME = new DateTimeFormatterBuilder()
            .appendPattern("yyyyMMdd[-HH]'F'")
            .parseDefaulting(ChronoField.HOUR_OF_DAY, 0)
            .toFormatter(Locale.ROOT);
    private static final String HOUR_MARK = "-";

    private JournalFiles() {}

    /** By the number of the queue's cycle, which is hours or days since 1970, ascending. */
    static NavigableMap<Integer, Path> of(Path folder) throws IOException {
        NavigableMap<Integer, Path> files = new TreeMap<>();
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path file : entries.toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(Queues.SUFFIX)) {
                    try {
                        String time = name.substring(0, name.length() - Queues.SUFFIX.length());
                        long seconds = LocalDateTime.parse(time, NAME).toEpochSecond(ZoneOffset.UTC);
                        TimeUnit unit = time.contains(HOUR_MARK) ? TimeUnit.HOURS : TimeUnit.DAYS;
                        files.put((int) unit.convert(seconds, TimeUnit.SECONDS), file);
                    } catch (DateTimeParseException e) {
                        log.debug("{} in {} is not a journal's file", name, folder, e);
                    }
                }
            }
        }
        return files;
    }

    /**
     * Deletes what a journal need not keep: never the first file nor the newest, of the others the oldest first.
     *
     * @param nowMillis since 1970
     */
    static void trim(Path folder, Retention retention, long nowMillis) throws IOException {
        if (retention.keepsAll()) {
            return;
        }
        List<Path> files = new ArrayList<>(of(folder).values());
        long bytes = 0;
        for (Path file : files) {
            bytes += Files.size(file);
        }
        double oldest = nowMillis - retention.days() * TimeUnit.DAYS.toMillis(1);
        for (int i = 1; i < files.size() - 1; i++) {
            Path file = files.get(i);
            boolean old =
                    retention.days() > 0 && Files.getLastModifiedTime(file).toMillis() < oldest;
            boolean much = retention.bytes() > 0 && bytes > retention.bytes();
            if (!old && !much) {
                return;
            }
            bytes -= Files.size(file);
            Files.delete(file);
            log.info("{} is deleted (monitor.journal); an audit can no longer prove what it held", file);
        }
    }
}
