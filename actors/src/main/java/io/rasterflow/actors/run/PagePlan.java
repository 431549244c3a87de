package io.rasterflow.actors.run;

import java.util.List;

/**
 * Where the live page of a run is served: by the node that runs the monitor, so that it moves with it.
 *
 * @param served whether there is one
 * @param host address it listens on; another than a loopback address or all of a machine's is the first node's own, in whose
 *     place the others take theirs
 * @param port the same on every node; 0 takes a free one
 * @param compare directories of other runs that it draws beside this one, absolute
 */
public record PagePlan(boolean served, String host, int port, List<String> compare) {
    public PagePlan {
        compare = List.copyOf(compare);
    }
}
