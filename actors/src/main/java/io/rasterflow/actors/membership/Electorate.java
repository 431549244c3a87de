package io.rasterflow.actors.membership;

import java.util.Set;

/** Tells the two sides of a partition apart. */
public interface Electorate {

    /**
     * Whether this side may go on: of the cluster's nodes that are not known to be gone it hears more than half, or half of
     * them with the one of the lowest address, as the split-brain resolver counts them. Two sides that do not hear each
     * other are never both told yes, whatever each of them knows to be gone.
     *
     * @param heard processes of trainers that were heard lately; nodes without trainers are heard in other ways
     * @param gone processes that have ended for certain
     */
    boolean mayGoOn(Set<String> heard, Set<String> gone);
}
