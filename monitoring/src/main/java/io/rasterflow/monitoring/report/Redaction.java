package io.rasterflow.monitoring.report;

import java.util.regex.Pattern;

/**
 * Takes out of a configuration what must not be sent around: values of keys that name a secret, and of addresses the user's
 * part and the query, where signatures and tokens are. A run directory holds no secret of its own making, but a user may have
 * written one into an address.
 */
final class Redaction {

    static final String LEFT_OUT = "(left out)";

    private static final Pattern SECRET = Pattern.compile(
            "(?im)^(\\s*\"?[\\w.-]*(?:secret|password|passphrase|credentials?|token|(?:access|api|private)-?_?key)\"?\\s*[=:]\\s*)\\S.*$");
    private static final Pattern USER = Pattern.compile("(?i)(\\b[a-z][a-z0-9+.-]*://)[^/\\s\"@]+@");
    private static final Pattern QUERY = Pattern.compile("(?i)(\\b[a-z][a-z0-9+.-]*://[^\\s\"?]*\\?)[^\\s\"]+");

    private Redaction() {}

    static String of(String configuration) {
        String text = SECRET.matcher(configuration).replaceAll("$1\"" + LEFT_OUT + "\"");
        text = QUERY.matcher(text).replaceAll("$1" + LEFT_OUT);
        return USER.matcher(text).replaceAll("$1" + LEFT_OUT + "@");
    }
}
