package io.rasterflow.actors.membership;

import java.util.Set;

/** Tells the two sides of a partition apart. */
public interface Electorate {

    /**
     * Whether this side may go on if those processes are on the other: it holds more than half of the cluster's nodes, or
     * half of them with the one of the lowest address, as the split-brain resolver decides it.
     *
     * @param silent processes that do not answer
     */
    boolean mayGoOnWithout(Set<String> silent);
}
