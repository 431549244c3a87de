package io.rasterflow.actors.trainer;

import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.streams.batch.Batch;

/**
 * The step-time ledger of one rank: every nanosecond between two marks belongs to one part, so that the parts sum to the
 * wall clock of the step.
 */
final class StepClock {

    private long last = System.nanoTime();
    private long fetch;
    private long decode;
    private long waiting;
    private long compute;
    private long exchange;
    private long update;

    /** Time since the last mark went into waiting for a batch: reading and decoding it, and whatever is left over. */
    void markBatch(Batch batch) {
        long elapsed = elapsed();
        long decoding = Math.min(elapsed, batch.decodeNanos());
        long fetching = Math.min(elapsed - decoding, batch.fetchNanos());
        decode += decoding;
        fetch += fetching;
        waiting += elapsed - decoding - fetching;
    }

    void markWaiting() {
        waiting += elapsed();
    }

    void markCompute() {
        compute += elapsed();
    }

    void markExchange() {
        exchange += elapsed();
    }

    void markUpdate() {
        update += elapsed();
    }

    /** The ledger since the last call, which starts the next one. */
    Ledger turn() {
        Ledger ledger =
                new Ledger(fetch * 1e-9, decode * 1e-9, waiting * 1e-9, compute * 1e-9, exchange * 1e-9, update * 1e-9);
        fetch = 0;
        decode = 0;
        waiting = 0;
        compute = 0;
        exchange = 0;
        update = 0;
        return ledger;
    }

    private long elapsed() {
        long now = System.nanoTime();
        long elapsed = now - last;
        last = now;
        return elapsed;
    }
}
