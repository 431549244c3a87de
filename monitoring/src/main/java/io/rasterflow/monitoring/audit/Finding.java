package io.rasterflow.monitoring.audit;

/**
 * What is wrong with steps that follow each other.
 *
 * @param generation whose steps they are; -1 when no journal tells
 * @param firstStep the first of them
 * @param endStep the one after the last
 * @param positions how many are concerned, over all these steps
 * @param detail why, in words
 */
public record Finding(Kind kind, long generation, long firstStep, long endStep, long positions, String detail) {

    public enum Kind {
        /** The journals tell that nobody used them. */
        MISSING,
        /** They were used more than once. */
        DUPLICATED,
        /** Journals that would tell are missing or torn. */
        UNPROVABLE,
        /** Ranks went on with different weights. */
        DIVERGED
    }

    /** One line. */
    public String text() {
        String steps = endStep - firstStep == 1 ? "step " + firstStep : "steps " + firstStep + " to " + (endStep - 1);
        String whose = generation < 0 ? "" : ", generation " + generation;
        String what = kind == Kind.DIVERGED ? "" : positions + " positions of ";
        return what + steps + whose + ": " + detail;
    }
}
