package io.rasterflow.streams.pack.source;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * The header {@code X-Robots-Tag}, by which a server says what its images may be used for: {@code noai, noindex}, or
 * {@code BOT: noindex, nofollow} for one robot alone.
 */
final class RobotsTag {

    private static final Set<String> FORBIDDING = Set.of("noai", "noimageai", "noindex", "noimageindex", "none");

    private RobotsTag() {}

    /**
     * The directive that forbids the use, if there is one.
     *
     * @param headers values of all headers of the name
     * @param robot our name
     */
    static Optional<String> forbidding(List<String> headers, String robot) {
        for (String header : headers) {
            String value = header.toLowerCase(Locale.ROOT).strip();
            int colon = value.indexOf(':');
            boolean named = colon > 0 && value.substring(0, colon).matches("[a-z0-9_*-]+");
            String name = named ? value.substring(0, colon) : "*";
            if (!named || name.equals("*") || name.equals(robot)) {
                for (String directive : value.substring(named ? colon + 1 : 0).split(",")) {
                    if (FORBIDDING.contains(directive.strip())) {
                        return Optional.of(directive.strip());
                    }
                }
            }
        }
        return Optional.empty();
    }
}
