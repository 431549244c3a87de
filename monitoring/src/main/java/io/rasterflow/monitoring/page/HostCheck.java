package io.rasterflow.monitoring.page;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Refuses requests whose Host header names another machine. A hostile web page can make a browser resolve the page's own
 * name to this address (DNS rebinding) and then read what is served here; the Host header still carries that name. Ports
 * are not compared, so that an ssh tunnel works.
 */
final class HostCheck {

    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "::1");
    private static final Set<String> WILDCARD = Set.of("0.0.0.0", "::", "0:0:0:0:0:0:0:0");
    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    private static final Pattern IPV6 = Pattern.compile("[0-9a-f:.]*:[0-9a-f:.]*");

    private final String boundHost;
    private final Set<String> names;

    /**
     * @param boundHost the address or name that the page listens on
     * @param names of this machine, which are good too when all its addresses are listened on
     */
    HostCheck(String boundHost, List<String> names) {
        this.boundHost = bare(boundHost);
        this.names = names.stream().map(HostCheck::bare).collect(Collectors.toSet());
    }

    /** Whether a host, without its port, is this server. */
    boolean allows(String host) {
        String name = bare(host);
        if (LOOPBACK.contains(name) || name.equals(boundHost)) {
            return true;
        }
        // An address cannot be rebound: only names are resolved.
        return WILDCARD.contains(boundHost) && (names.contains(name) || isAddress(name));
    }

    private static boolean isAddress(String name) {
        return IPV4.matcher(name).matches() || IPV6.matcher(name).matches();
    }

    private static String bare(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        return name.startsWith("[") && name.endsWith("]") ? name.substring(1, name.length() - 1) : name;
    }
}
