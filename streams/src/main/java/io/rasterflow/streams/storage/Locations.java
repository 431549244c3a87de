package io.rasterflow.streams.storage;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Pattern;

/** What users write for a place, as URIs; and URIs as they may be shown: without passwords and signatures. */
final class Locations {

    private static final Pattern SCHEME = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]+):.*", Pattern.DOTALL);
    private static final Pattern USER = Pattern.compile("//[^/?#\\s]*@");
    private static final Pattern QUERY = Pattern.compile("[?#]\\S*");

    private Locations() {}

    /**
     * Reads a plain path, {@code file:}, {@code http:}, {@code https:} or {@code s3:} location. An S3 key is taken literally,
     * as the tools of AWS do ({@code s3://bucket/a b%é}); elsewhere spaces and the like may be written as they are.
     *
     * @throws IllegalArgumentException one line, for any other scheme or text
     */
    static URI parse(String location) {
        var match = SCHEME.matcher(location);
        if (location.isBlank()) {
            throw new IllegalArgumentException("an empty location; name a path or a file:, http:, https: or s3: URL");
        }
        if (!match.matches()) {
            return Path.of(location).toAbsolutePath().toUri();
        }
        try {
            switch (match.group(1).toLowerCase(Locale.ROOT)) {
                case "s3":
                    String rest = location.substring("s3:".length());
                    int slash = rest.indexOf('/', 2);
                    if (!rest.startsWith("//") || rest.length() == 2 || slash == 2) {
                        throw new IllegalArgumentException(
                                "'" + location + "' names no bucket; write s3://bucket/path/of/object");
                    }
                    return slash < 0
                            ? s3(rest.substring(2), "")
                            : s3(rest.substring(2, slash), rest.substring(slash + 1));
                case "file", "http", "https":
                    return new URI(encode(location));
                default:
                    throw new IllegalArgumentException("'" + clean(location) + "' has the scheme " + match.group(1)
                            + ":; use a path or a file:, http:, https: or s3: URL");
            }
        } catch (URISyntaxException e) {
            // A slash or space in a password is a likely cause: what stands before the last @ is not shown.
            String shown = clean(location.substring(location.lastIndexOf('@') + 1));
            throw new IllegalArgumentException("'" + shown + "' is no URL (" + e.getReason()
                    + "); use a path or a file:, http:, https: or s3: URL, with special characters as %XX");
        }
    }

    /** The location of an S3 object; neither part is escaped. */
    static URI s3(String bucket, String key) throws URISyntaxException {
        return new URI("s3", bucket, "/" + key, null, null);
    }

    /** A location as it may be shown: user, password, query (where signatures stand) and fragment cut. */
    static String clean(URI uri) {
        return "file".equals(uri.getScheme()) && uri.getPath() != null ? uri.getPath() : clean(uri.toString());
    }

    /** As {@link #clean(URI)}, for any text with URLs in it, such as the message of a library. */
    static String clean(String text) {
        return QUERY.matcher(USER.matcher(text).replaceAll("//")).replaceAll("?…");
    }

    /** Escapes what no URL may hold as it is; what is escaped already stays. */
    private static String encode(String location) {
        StringBuilder encoded = new StringBuilder();
        for (char c : location.toCharArray()) {
            if (c <= ' ' || "\"<>\\^`{|}".indexOf(c) >= 0) {
                encoded.append('%').append(String.format(Locale.ROOT, "%02X", (int) c));
            } else {
                encoded.append(c);
            }
        }
        return encoded.toString();
    }
}
