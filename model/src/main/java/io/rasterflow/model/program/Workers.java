package io.rasterflow.model.program;

/** Threads that share independent tasks. */
public interface Workers {
    /** Runs tasks 0 to {@code tasks - 1}, in any order, and returns when all are done; throws what one of them threw. */
    void each(int tasks, Task task);

    /** One of the tasks. */
    @FunctionalInterface
    interface Task {
        /** @param worker index of the thread, so that each can use tools of its own */
        void run(int worker, int task);
    }
}
