package io.rasterflow.streams.format;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a path in a shard says: WebDataset's key, everything up to the first dot of the file name, and the extension behind
 * it. Shards come from anywhere, so keys are made harmless: see {@link #safe}.
 *
 * @param group path up to the first dot, as stored; consecutive files that agree in it are one sample
 * @param extension behind that dot, in lower case, may have several parts
 */
record SampleKey(String group, String extension) {

    /** Extensions of images, directly behind the key: {@code a.seg.png} is a mask and no image. */
    private static final Set<String> IMAGES = Set.of("png", "jpg", "jpeg", "webp", "gif");

    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cntrl}\\p{Cf}\\uFFFD\u2028\u2029]");

    /** The parts of a path; empty for one without a dot, or with nothing before it. */
    static Optional<SampleKey> of(String path) {
        int name = path.lastIndexOf('/') + 1;
        int dot = path.indexOf('.', name);
        return dot <= name
                ? Optional.empty()
                : Optional.of(new SampleKey(
                        path.substring(0, dot), path.substring(dot + 1).toLowerCase(Locale.ROOT)));
    }

    static boolean isImage(String extension) {
        return IMAGES.contains(extension);
    }

    /**
     * The key that is shown and under which a sample may be extracted: a relative path that stays below where it is put.
     * Leading slashes, empty and {@code .} parts are dropped; {@code ..} becomes {@code __}, a backslash {@code _}, and a
     * character that cannot be printed {@code ?}. Two samples may end up with one key; nothing depends on keys being unique.
     */
    String safe() {
        if (!group.contains("./") && !group.contains("//") && !group.startsWith("/") && !group.contains("\\")) {
            return printable(group);
        }
        StringBuilder key = new StringBuilder(group.length());
        for (String part : group.split("/")) {
            if (!part.isEmpty() && !part.equals(".")) {
                key.append(key.isEmpty() ? "" : "/").append(part.equals("..") ? "__" : part.replace('\\', '_'));
            }
        }
        return printable(key.toString());
    }

    /** One line of printable characters. */
    static String printable(String text) {
        return UNPRINTABLE.matcher(text).replaceAll("?");
    }
}
