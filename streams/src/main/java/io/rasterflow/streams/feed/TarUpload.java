package io.rasterflow.streams.feed;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Takes one tar stream, on a thread of its own: while the buffer has no room, nothing is read from the socket. */
final class TarUpload {

    private static final int MAX_SAMPLES = 100_000;
    private static final int MAX_LISTED = 100;
    private static final int MAX_PENDING = 256;
    private static final long RETRY_MILLIS = 100;

    private final FeedWriter writer;
    private final FeedLayout layout;
    private final Duration patience;
    private final ArrayDeque<Pending> pending = new ArrayDeque<>();
    private final ObjectNode answer = JsonNodeFactory.instance.objectNode();
    private final ArrayNode faults = JsonNodeFactory.instance.arrayNode();
    private final ArrayNode sequences = JsonNodeFactory.instance.arrayNode();
    private long pendingBytes;
    private boolean impatient;
    private long accepted;
    private long duplicates;
    private long rejected;
    private long firstSequence = -1;
    private long lastSequence = -1;

    private record Pending(Arrival arrival, CompletableFuture<Receipt> receipt) {}

    /**
     * What is answered.
     *
     * @param status 201 if all went well, else what ended it; what was taken before is kept
     */
    record Answer(int status, ObjectNode json) {}

    /** @param patience how long to wait for room in the buffer */
    TarUpload(FeedWriter writer, FeedLayout layout, Duration patience) {
        this.writer = writer;
        this.layout = layout;
        this.patience = patience;
    }

    /** Reads the stream to its end, or to what ends it. */
    Answer receive(InputStream stream) throws InterruptedException {
        int status = 201;
        try {
            readAll(stream);
        } catch (Refusal e) {
            status = e.kind().status();
            answer.put("error", e.getMessage());
        } catch (IOException e) {
            status = 400;
            answer.put("error", "no readable tar: " + Arrival.printable(String.valueOf(e.getMessage())));
        } catch (ExecutionException e) {
            status = 503;
            answer.put("error", e.getCause().getMessage());
        }
        impatient = true;
        while (!pending.isEmpty()) {
            settleRest();
        }
        if (accepted + duplicates == 0 && status == 201) {
            status = 400;
            answer.put("error", rejected == 0 ? "the tar holds no images" : "no image of the tar could be taken");
        }
        return new Answer(status, describe());
    }

    /** Something else has ended the upload; what was submitted before is counted if it was taken. */
    private void settleRest() throws InterruptedException {
        try {
            settleOldest();
        } catch (Refusal | ExecutionException e) {
            answer.put("error", answer.path("error").asText(e.getMessage()));
        }
    }

    private void readAll(InputStream stream) throws IOException, Refusal, ExecutionException, InterruptedException {
        TarArrivals arrivals = new TarArrivals(stream, layout.maxImageBytes());
        for (Optional<TarArrivals.Item> item = arrivals.next(); item.isPresent(); item = arrivals.next()) {
            if (accepted + duplicates + rejected + pending.size() == MAX_SAMPLES) {
                throw new Refusal(
                        Refusal.Kind.TOO_LARGE, "a tar may hold " + MAX_SAMPLES + " samples; send the rest in another");
            }
            if (item.get().fault() != null) {
                reject(item.get().key(), item.get().fault());
            } else {
                submit(item.get().arrival());
            }
        }
        while (!pending.isEmpty()) {
            settleOldest();
        }
    }

    private void submit(Arrival arrival) throws Refusal, ExecutionException, InterruptedException {
        while (!pending.isEmpty()
                && (pending.size() == MAX_PENDING || pendingBytes + arrival.image().length > layout.maxImageBytes())) {
            settleOldest();
        }
        pending.add(new Pending(arrival, writer.submit(arrival)));
        pendingBytes += arrival.image().length;
    }

    private void settleOldest() throws Refusal, ExecutionException, InterruptedException {
        Pending oldest = pending.remove();
        pendingBytes -= oldest.arrival.image().length;
        Receipt receipt;
        try {
            receipt = settle(oldest);
        } catch (Refusal refusal) {
            if (refusal.kind() == Refusal.Kind.FULL) {
                throw refusal;
            }
            reject(oldest.arrival.key(), refusal);
            return;
        }
        if (receipt.duplicate()) {
            duplicates++;
        } else {
            accepted++;
        }
        note(receipt.sequence());
    }

    private Receipt settle(Pending oldest) throws Refusal, ExecutionException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        CompletableFuture<Receipt> receipt = oldest.receipt;
        while (true) {
            try {
                return receipt.get();
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof Refusal refusal)) {
                    throw e;
                }
                if (refusal.kind() != Refusal.Kind.FULL || impatient || System.nanoTime() > deadline) {
                    throw refusal;
                }
                Thread.sleep(RETRY_MILLIS);
                receipt = writer.submit(oldest.arrival);
            }
        }
    }

    private void reject(String key, Refusal refusal) {
        rejected++;
        if (faults.size() < MAX_LISTED) {
            faults.addObject().put("key", Arrival.printable(key)).put("cause", refusal.getMessage());
        }
    }

    /** Numbers mostly follow each other: they are told as [first, last]. */
    private void note(long sequence) {
        if (firstSequence >= 0 && sequence == lastSequence + 1) {
            lastSequence = sequence;
            return;
        }
        closeRange();
        firstSequence = sequence;
        lastSequence = sequence;
    }

    private void closeRange() {
        if (firstSequence >= 0) {
            sequences.addArray().add(firstSequence).add(lastSequence);
        }
    }

    private ObjectNode describe() {
        closeRange();
        answer.put("accepted", accepted).put("duplicates", duplicates).put("rejected", rejected);
        answer.set("sequences", sequences);
        answer.set("faults", faults);
        return answer;
    }
}
