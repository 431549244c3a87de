package io.rasterflow.actors.plan;

/** The gradient exchange of one step. */
interface SimulatedExchange {

    /** A rank has a bucket that is the sum over all micro-batches of all ranks. */
    interface Listener {
        void reduced(int rank, int bucket);
    }

    /**
     * A rank's sum of a bucket over a run of its micro-batches is final now.
     *
     * @param last whether no further partial sum of that bucket follows from this rank
     */
    void contribute(int rank, int bucket, boolean last);
}
