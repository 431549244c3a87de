package io.rasterflow.streams.storage;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which bytes a partial response brings.
 *
 * @param from offset of the first byte
 * @param to offset of the last byte
 * @param total size of the whole object; {@link ObjectInfo#UNKNOWN_SIZE} if the server does not tell
 */
record ContentRange(long from, long to, long total) {

    private static final Pattern FORM = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");

    /** Reads a Content-Range header; empty for what makes no sense. */
    static Optional<ContentRange> parse(String header) {
        Matcher form = FORM.matcher(header);
        if (!form.matches()) {
            return Optional.empty();
        }
        long total = form.group(3).equals("*") ? ObjectInfo.UNKNOWN_SIZE : Long.parseLong(form.group(3));
        ContentRange range = new ContentRange(Long.parseLong(form.group(1)), Long.parseLong(form.group(2)), total);
        boolean sensible = range.from <= range.to && (total < 0 || range.to < total);
        return sensible ? Optional.of(range) : Optional.empty();
    }
}
