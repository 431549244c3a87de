package io.rasterflow.monitoring.monitor;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** The last of many. */
final class Newest<T> {

    private final int capacity;
    private final Deque<T> items = new ArrayDeque<>();

    Newest(int capacity) {
        this.capacity = capacity;
    }

    void add(T item) {
        items.addFirst(item);
        if (items.size() > capacity) {
            items.removeLast();
        }
    }

    /** The newest first. */
    List<T> list() {
        return List.copyOf(items);
    }
}
