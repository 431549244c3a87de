package io.rasterflow.streams.pack.source;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** Addresses as lists of images hold them: often with blanks and letters that must not be there, sometimes with secrets. */
final class Urls {

    private static final Pattern USER = Pattern.compile("(?<=://)[^/?#@]*@");
    private static final Pattern SECRET_PARAMETER = Pattern.compile(
            "(?i)([?&;][^=&;#]*(?:sig|signature|token|key|secret|credential|password|passwd|pwd|auth)[^=&;#]*=)[^&;#]*");
    private static final String ALLOWED = "-._~:/?#[]@!$&'()*+,;=%";

    private Urls() {}

    /**
     * Reads an address; what must not stand in one is percent-encoded.
     *
     * @throws SampleFailure unless it is http or https with a host
     */
    static URI parse(String text) throws SampleFailure {
        try {
            URI uri = URI.create(encode(text.strip()));
            String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
            if (Set.of("http", "https").contains(scheme) && uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // Told below.
        }
        throw new SampleFailure("no http or https address: " + redact(text));
    }

    private static String encode(String text) {
        StringBuilder encoded = new StringBuilder(text.length());
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xFF);
            boolean plain = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
            if (plain || ALLOWED.indexOf(c) >= 0) {
                encoded.append(c);
            } else {
                encoded.append(String.format(Locale.ROOT, "%%%02X", (int) c));
            }
        }
        return encoded.toString();
    }

    /** The address without user name, password, and the values of parameters that look like secrets; printable. */
    static String redact(String url) {
        String anonymous = USER.matcher(url).replaceAll("***@");
        return SECRET_PARAMETER.matcher(anonymous).replaceAll("$1***").replaceAll("\\p{Cntrl}", "?");
    }
}
