package io.rasterflow.monitoring.page;

import java.net.URI;
import java.util.List;
import java.util.function.Supplier;

/**
 * Where a page goes on when the node that serves it is lost: the next that runs the monitor serves it on the same port.
 *
 * @param run name of the run, by which a page knows its successor
 * @param host name or address of this node
 * @param port of all of them
 * @param heirs addresses of the pages of the nodes that could be the next, on other machines; asked for again and again
 */
public record Succession(String run, String host, int port, Supplier<List<URI>> heirs) {

    /** On this machine alone, where a successor comes to the same address. */
    public static final Succession NONE = new Succession("", "localhost", 0, List::of);

    /** Whether there is another address to go on at. */
    boolean known() {
        return port > 0;
    }

    /**
     * What a page may connect to beside its own server, for its Content-Security-Policy. Heirs may join after it was loaded, so
     * their port says who they are.
     */
    String connectSources() {
        return known() ? " http://*:" + port : "";
    }
}
