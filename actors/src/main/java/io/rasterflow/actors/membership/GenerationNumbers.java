package io.rasterflow.actors.membership;

/** Numbers that no two generations of a run share, whoever forms them. */
public interface GenerationNumbers {

    /** The highest that was given so far, if that generation may still be at work; 0 if none can be. */
    long highest();

    /** A number above all that were given, and above that one. */
    long next(long known);
}
