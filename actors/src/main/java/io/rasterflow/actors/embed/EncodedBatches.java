package io.rasterflow.actors.embed;

import io.rasterflow.streams.augment.Augmenter;
import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.Pixels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Encoded images, one after the other, decoded into batches ahead of their use by threads of their own. */
final class EncodedBatches implements ImageBatches {
    private final EncodedImages images;
    private final Reading reading;
    private final ExecutorService threads;
    private final ConcurrentLinkedQueue<Worker> idle = new ConcurrentLinkedQueue<>();
    private final Deque<Future<ImageBatch>> ahead = new ArrayDeque<>();
    private boolean ended;

    /** What one thread decodes with. */
    private record Worker(ImageDecoder decoder, Augmenter augmenter, Pixels pixels) {}

    EncodedBatches(EncodedImages images, Reading reading) {
        this.images = images;
        this.reading = reading;
        threads = Executors.newFixedThreadPool(reading.stream().decodeThreads(), task -> {
            Thread thread = new Thread(task, "rasterflow-embed-decode");
            thread.setDaemon(true);
            return thread;
        });
    }

    @Override
    public long size() {
        return images.size();
    }

    @Override
    public Optional<ImageBatch> next() throws IOException, InterruptedException {
        while (!ended && ahead.size() <= reading.stream().prefetchBatches()) {
            List<EncodedImages.Image> some = take();
            if (some.isEmpty()) {
                ended = true;
            } else {
                ahead.add(threads.submit(() -> make(some)));
            }
        }
        Future<ImageBatch> next = ahead.poll();
        if (next == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(next.get());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new IOException("images cannot be read: " + e.getCause(), e.getCause());
        }
    }

    private List<EncodedImages.Image> take() throws IOException {
        List<EncodedImages.Image> some = new ArrayList<>();
        while (some.size() < reading.batch()) {
            Optional<EncodedImages.Image> image = images.next();
            if (image.isEmpty()) {
                break;
            }
            some.add(image.get());
        }
        return some;
    }

    private ImageBatch make(List<EncodedImages.Image> some) throws IOException {
        int bytes = Math.multiplyExact(reading.augment().imageValues(), Float.BYTES);
        ByteBuffer buffer = ByteBuffer.allocateDirect(Math.multiplyExact(some.size(), bytes))
                .order(ByteOrder.nativeOrder());
        List<String> keys = new ArrayList<>();
        Map<Integer, String> bad = new TreeMap<>();
        Worker worker = idle.poll();
        if (worker == null) {
            int channels = reading.augment().channels();
            worker = new Worker(new ImageDecoder(channels), new Augmenter(reading.augment()), new Pixels());
        }
        try {
            for (int i = 0; i < some.size(); i++) {
                EncodedImages.Image image = some.get(i);
                keys.add(image.key());
                try {
                    worker.decoder().decode(image.content().read(), worker.pixels());
                    worker.augmenter().evaluation(worker.pixels(), buffer, i * bytes);
                } catch (DecodeException e) {
                    bad.put(i, image.name() + ": " + e.getMessage());
                }
            }
        } finally {
            idle.add(worker);
        }
        int[] labels = some.stream().mapToInt(EncodedImages.Image::label).toArray();
        return new ImageBatch(buffer, labels, keys, bad, () -> {});
    }

    @Override
    public void close() throws IOException {
        threads.shutdownNow();
        try {
            if (threads.awaitTermination(10, TimeUnit.SECONDS)) {
                idle.forEach(worker -> worker.decoder().close());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        images.close();
    }
}
