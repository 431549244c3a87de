package io.rasterflow.actors.embed;

import io.rasterflow.streams.augment.Augmenter;
import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.Pixels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The PNG and JPEG files of a folder and its subfolders, in the order of their paths. The label of an image is the number
 * of its first subfolder among the sorted subfolders, -1 directly in the folder. Batches are made ahead by threads of
 * their own.
 */
final class FolderBatches implements ImageBatches {
    private static final long LARGEST_FILE = 1L << 30;

    private final Path folder;
    private final List<Path> images;
    private final Reading reading;
    private final List<String> classes;
    private final ExecutorService threads;
    private final ConcurrentLinkedQueue<Worker> idle = new ConcurrentLinkedQueue<>();
    private final Deque<Future<ImageBatch>> ahead = new ArrayDeque<>();
    private int begun;

    /** What one thread decodes with. */
    private record Worker(ImageDecoder decoder, Augmenter augmenter, Pixels pixels) {}

    FolderBatches(Path folder, List<Path> images, Reading reading) {
        this.folder = folder;
        this.images = images;
        this.reading = reading;
        TreeSet<String> names = new TreeSet<>();
        images.forEach(image -> names.addAll(subfolder(image).stream().toList()));
        classes = List.copyOf(names);
        threads = Executors.newFixedThreadPool(reading.stream().decodeThreads(), task -> {
            Thread thread = new Thread(task, "rasterflow-embed-decode");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** The image files below a folder, sorted. */
    static List<Path> images(Path folder) throws IOException {
        try (Stream<Path> walk = Files.walk(folder)) {
            return walk.filter(Files::isRegularFile)
                    .filter(file -> file.getFileName()
                            .toString()
                            .toLowerCase(Locale.ROOT)
                            .matches(".*\\.(png|jpg|jpeg)"))
                    .sorted()
                    .toList();
        }
    }

    private Optional<String> subfolder(Path image) {
        Path relative = folder.relativize(image);
        return relative.getNameCount() > 1 ? Optional.of(relative.getName(0).toString()) : Optional.empty();
    }

    @Override
    public long size() {
        return images.size();
    }

    @Override
    public Optional<ImageBatch> next() throws IOException, InterruptedException {
        while (begun < images.size() && ahead.size() <= reading.stream().prefetchBatches()) {
            int from = begun;
            int to = Math.min(images.size(), from + reading.batch());
            ahead.add(threads.submit(() -> make(from, to)));
            begun = to;
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
            throw new IOException("images of " + folder + " cannot be read: " + e.getCause(), e.getCause());
        }
    }

    private ImageBatch make(int from, int to) throws IOException {
        int values = reading.augment().imageValues();
        ByteBuffer buffer = ByteBuffer.allocateDirect(Math.multiplyExact((to - from) * Float.BYTES, values))
                .order(ByteOrder.nativeOrder());
        int[] labels = new int[to - from];
        List<String> keys = new ArrayList<>();
        Map<Integer, String> bad = new TreeMap<>();
        Worker worker = idle.poll();
        if (worker == null) {
            int channels = reading.augment().channels();
            worker = new Worker(new ImageDecoder(channels), new Augmenter(reading.augment()), new Pixels());
        }
        try {
            for (int i = from; i < to; i++) {
                Path image = images.get(i);
                labels[i - from] = subfolder(image).map(classes::indexOf).orElse(-1);
                keys.add(folder.relativize(image).toString());
                try {
                    if (Files.size(image) > LARGEST_FILE) {
                        throw new DecodeException("it has " + Files.size(image) + " bytes");
                    }
                    worker.decoder().decode(Files.readAllBytes(image), worker.pixels());
                    worker.augmenter().evaluation(worker.pixels(), buffer, (i - from) * values * Float.BYTES);
                } catch (DecodeException e) {
                    bad.put(i - from, image + ": " + e.getMessage());
                }
            }
        } finally {
            idle.add(worker);
        }
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
    }
}
