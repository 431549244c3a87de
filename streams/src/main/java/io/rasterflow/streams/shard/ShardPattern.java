package io.rasterflow.streams.shard;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Names of shards: a path, a path with brace ranges ({@code train-{000..009}.tar}, WebDataset's notation), or a folder, which
 * stands for the {@code .tar}, {@code .tar.gz} and {@code .tgz} files in it in the order of their names.
 */
public final class ShardPattern {

    private static final Pattern RANGE = Pattern.compile("\\{(\\d+)\\.\\.(\\d+)}");
    private static final Pattern TAR_NAME = Pattern.compile(".*\\.(tar|tar\\.gz|tgz)");
    private static final int MAX_SHARDS = 10_000_000;

    private ShardPattern() {}

    /**
     * The files that a pattern names, in order.
     *
     * @throws IllegalArgumentException for a pattern that cannot be read
     * @throws FileNotFoundException one line, if a file is missing or a folder holds no shard
     */
    public static List<Path> expand(String pattern) throws IOException {
        if (pattern.isBlank()) {
            throw new IllegalArgumentException("data.train has an empty entry; name a shard, a range or a folder");
        }
        List<Path> paths = new ArrayList<>();
        for (String name : names(pattern)) {
            Path path = Path.of(name);
            if (Files.isDirectory(path)) {
                paths.addAll(folder(path));
            } else {
                paths.add(path);
            }
        }
        List<Path> missing =
                paths.stream().filter(path -> !Files.isRegularFile(path)).toList();
        if (!missing.isEmpty()) {
            throw new FileNotFoundException("no shard at " + missing.get(0).toAbsolutePath()
                    + (missing.size() > 1
                            ? " (" + missing.size() + " of " + paths.size() + " files of '" + pattern + "' are missing)"
                            : "")
                    + "; check data.train or make the shards with `rasterflow data pack`");
        }
        return paths;
    }

    /** The names that the brace ranges of a pattern stand for, whether or not they exist. */
    static List<String> names(String pattern) {
        Matcher range = RANGE.matcher(pattern);
        if (!range.find()) {
            if (pattern.indexOf('{') >= 0) {
                throw new IllegalArgumentException(
                        "data.train entry '" + pattern + "' has a brace that is no range; write ranges as {000..009}");
            }
            return List.of(pattern);
        }
        long first = parse(range.group(1), pattern);
        long last = parse(range.group(2), pattern);
        if (last < first || last - first >= MAX_SHARDS) {
            throw new IllegalArgumentException("data.train entry '" + pattern + "' has the range " + range.group()
                    + ", which is empty or longer than " + MAX_SHARDS);
        }
        String before = pattern.substring(0, range.start());
        List<String> rest = names(pattern.substring(range.end()));
        if ((last - first + 1) * rest.size() > MAX_SHARDS) {
            throw new IllegalArgumentException(
                    "data.train entry '" + pattern + "' names more than " + MAX_SHARDS + " files");
        }
        int digits = range.group(1).length();
        List<String> names = new ArrayList<>();
        for (long number = first; number <= last; number++) {
            String head = before + String.format(Locale.ROOT, "%0" + digits + "d", number);
            rest.forEach(tail -> names.add(head + tail));
        }
        return names;
    }

    private static long parse(String digits, String pattern) {
        if (digits.length() > 18) {
            throw new IllegalArgumentException("data.train entry '" + pattern + "' has the absurd number " + digits);
        }
        return Long.parseLong(digits);
    }

    private static List<Path> folder(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> shards = files.filter(Files::isRegularFile)
                    .filter(file ->
                            TAR_NAME.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .toList();
            if (shards.isEmpty()) {
                throw new FileNotFoundException("no .tar, .tar.gz or .tgz shard in the folder "
                        + folder.toAbsolutePath() + "; check data.train or make shards with `rasterflow data pack`");
            }
            return shards;
        }
    }
}
