package io.rasterflow.actors.membership;

/** Where a trainer is in the life of its generation. */
public enum Phase {
    /** Part of no generation yet. */
    WAITING,
    /** Takes the weights that its generation begins with, then connects to the other ranks. */
    PREPARING,
    /** Goes through the steps of its generation. */
    TRAINING,
    /** Its generation is over for it; it keeps its weights and waits for the next. */
    HALTED,
    /** Has taken the run's last step. */
    FINISHED;

    /** Whether its weights stay as they are until the next generation. */
    public boolean stopped() {
        return this == WAITING || this == HALTED || this == FINISHED;
    }
}
