package io.rasterflow.actors.membership;

/** Counts the generations that fail in a row without a step. */
final class Futility {

    /** So many may fail before a trainer that peers cannot reach is left out. */
    private static final int PATIENCE = 2;

    private int failed;
    private long firstStep = -1;

    /** A generation begins with that step: the one before has come to nothing if it was to begin with the same. */
    void formed(long step) {
        failed = step == firstStep ? failed + 1 : 0;
        firstStep = step;
    }

    boolean none() {
        return failed == 0;
    }

    boolean isEnough() {
        return failed >= PATIENCE;
    }

    /** Something else is tried now. */
    void forget() {
        failed = 0;
    }
}
