package io.rasterflow.streams.storage;

import java.util.concurrent.atomic.LongAdder;

/** The running counts of one store. */
final class Counters {

    final LongAdder requests = new LongAdder();
    final LongAdder retries = new LongAdder();
    final LongAdder hedges = new LongAdder();
    final LongAdder bytes = new LongAdder();
    final LongAdder failures = new LongAdder();

    StorageMetrics.Counts snapshot() {
        return new StorageMetrics.Counts(requests.sum(), retries.sum(), hedges.sum(), bytes.sum(), failures.sum());
    }
}
