package io.rasterflow.actors.plan;

/** How a run gets over the loss of a host. Times are seconds of simulated time and never go back. */
interface Recovery {

    /** Whether another host takes a lost one's place at once. */
    boolean spareStandsBy();

    /**
     * A host is lost.
     *
     * @param silent whether no connection broke
     * @param hostsLeft that still run
     */
    void lost(double now, boolean silent, int hostsLeft);

    /** A host is back; so many are there now. */
    void returned(double now, int hosts);

    /** Seconds that a run that nothing disturbs would have needed for what this one has done. */
    double progress(double now);
}
