package io.rasterflow.actors.plan;

/** What the records of a plan demand of their values; messages name the option of {@code rasterflow plan}. */
final class Checks {

    private Checks() {}

    static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }

    static void positive(String name, double value) {
        require(value > 0 && Double.isFinite(value), name + " must be above 0 but is " + value);
    }

    static void notNegative(String name, double value) {
        require(value >= 0 && Double.isFinite(value), name + " must not be negative but is " + value);
    }

    static void fraction(String name, double value) {
        require(value >= 0 && value <= 1, name + " must be between 0 and 1 but is " + value);
    }
}
