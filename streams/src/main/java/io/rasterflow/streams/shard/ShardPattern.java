package io.rasterflow.streams.shard;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Brace patterns, WebDataset's notation: {@code train-{000..009}.tar}, {@code {web,photos}/{00..99}.tar}. */
public final class ShardPattern {

    private static final Pattern BRACE = Pattern.compile("\\{([^{}]*)}");
    private static final Pattern RANGE = Pattern.compile("(\\d{1,18})\\.\\.(\\d{1,18})");
    private static final int MAX_SHARDS = 10_000_000;

    private ShardPattern() {}

    /**
     * The names that a pattern stands for, in order.
     *
     * @throws IllegalArgumentException one line, for a pattern that cannot be read
     */
    public static List<String> names(String pattern) {
        if (pattern.isBlank()) {
            throw new IllegalArgumentException(
                    "the list of shards has an empty entry; name a shard, a range or a folder");
        }
        List<String> names = expand(pattern, pattern);
        if (names.stream().anyMatch(name -> name.indexOf('{') >= 0)) {
            throw new IllegalArgumentException("'" + pattern + "' has a brace that is never closed");
        }
        return names;
    }

    private static List<String> expand(String rest, String pattern) {
        Matcher brace = BRACE.matcher(rest);
        if (!brace.find()) {
            return List.of(rest);
        }
        String before = rest.substring(0, brace.start());
        List<String> tails = expand(rest.substring(brace.end()), pattern);
        List<String> alternatives = alternatives(brace.group(1), pattern);
        if ((long) alternatives.size() * tails.size() > MAX_SHARDS) {
            throw new IllegalArgumentException("'" + pattern + "' names more than " + MAX_SHARDS + " shards");
        }
        List<String> names = new ArrayList<>(alternatives.size() * tails.size());
        for (String alternative : alternatives) {
            tails.forEach(tail -> names.add(before + alternative + tail));
        }
        return names;
    }

    private static List<String> alternatives(String inside, String pattern) {
        Matcher range = RANGE.matcher(inside);
        if (!range.matches()) {
            if (inside.indexOf(',') < 0) {
                throw new IllegalArgumentException("'" + pattern + "' has {" + inside
                        + "}, which is no range; write ranges as {000..009} and choices as {a,b}");
            }
            return List.of(inside.split(",", -1));
        }
        long first = Long.parseLong(range.group(1));
        long last = Long.parseLong(range.group(2));
        if (last < first || last - first >= MAX_SHARDS) {
            throw new IllegalArgumentException(
                    "'" + pattern + "' has the range {" + inside + "}, which is empty or longer than " + MAX_SHARDS);
        }
        int digits = range.group(1).length();
        List<String> names = new ArrayList<>();
        for (long number = first; number <= last; number++) {
            names.add(String.format(Locale.ROOT, "%0" + digits + "d", number));
        }
        return names;
    }
}
