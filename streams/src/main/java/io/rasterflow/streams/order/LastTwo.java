package io.rasterflow.streams.order;

import java.util.function.LongFunction;

/**
 * The two numbered values that were made last. Threads that work through numbers in order stand on either side of a border
 * for a while; with one value they would take turns in making it. Each value is made once, by the first thread that needs
 * it, while others still read the older one.
 */
final class LastTwo<T> {

    private record Numbered<T>(long number, T value) {}

    private volatile Numbered<T> newer;
    private volatile Numbered<T> older;

    /** The value with this number. */
    T get(long number, LongFunction<T> maker) {
        T found = find(number);
        return found != null ? found : make(number, maker);
    }

    private T find(long number) {
        Numbered<T> first = newer;
        if (first != null && first.number == number) {
            return first.value;
        }
        Numbered<T> second = older;
        return second != null && second.number == number ? second.value : null;
    }

    private synchronized T make(long number, LongFunction<T> maker) {
        T found = find(number);
        if (found == null) {
            older = null; // so that two values, not three, exist while the third is made
            found = maker.apply(number);
            older = newer;
            newer = new Numbered<>(number, found);
        }
        return found;
    }
}
