package io.rasterflow.tests.streams;

import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.batch.BadSample;
import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.batch.StreamConfig;
import io.rasterflow.streams.order.BatchPlan;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SystemMaterializer;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.testkit.javadsl.TestKit;

/**
 * Reads data sets in a process of its own, and writes down what came: a line {@code POSITION LABEL HASH} for each image, {@code
 * bad POSITION KEY CAUSE} for each that was replaced.
 */
final class FuzzReader {

    static final int BATCH = 50;
    private static final long SEED = 5;
    private static final int SIDE = 12;
    private static final int THREADS = 2;

    private FuzzReader() {}

    /** @param args a folder, and the names of folders with shards in it; NAME-evaluation.txt and NAME-training.txt appear */
    public static void main(String[] args) throws Exception {
        ActorSystem system = ActorSystem.create("fuzz-reader");
        try {
            read(args, SystemMaterializer.get(system).materializer());
        } finally {
            TestKit.shutdownActorSystem(system);
        }
    }

    private static void read(String[] args, Materializer materializer) throws Exception {
        Path folder = Path.of(args[0]);
        StreamConfig config = new StreamConfig(THREADS, 4, 1, 3);
        for (String name : List.of(args).subList(1, args.length)) {
            String shards = folder.resolve(name).toString();
            try (DataSet data = DataSet.open(List.of(shards), folder.resolve("cache"))) {
                write(
                        folder.resolve(name + "-evaluation.txt"),
                        Batches.evaluation(data, augment(3), config, SEED, BATCH, 0),
                        materializer);
                BatchPlan plan = new BatchPlan(BATCH, 1);
                write(
                        folder.resolve(name + "-training.txt"),
                        Batches.training(data, SEED, plan, augment(1), config, 0, data.size() / BATCH, 0, 1),
                        materializer);
            }
        }
    }

    private static AugmentConfig augment(int channels) {
        List<Double> half = Collections.nCopies(channels, 0.5);
        return new AugmentConfig(SIDE, channels, 0.4, 1.0, 0.75, 4.0 / 3, 0.5, SIDE, half, half);
    }

    private static void write(Path file, Source<Batch, NotUsed> source, Materializer materializer)
            throws IOException, InterruptedException {
        StringBuilder lines = new StringBuilder();
        try (BatchReader reader = BatchReader.open(source, materializer)) {
            for (Optional<Batch> next = reader.next(); next.isPresent(); next = reader.next()) {
                try (Batch batch = next.get()) {
                    append(batch, lines);
                }
            }
        }
        Files.writeString(file, lines, StandardCharsets.UTF_8);
    }

    private static void append(Batch batch, StringBuilder lines) {
        int size = batch.labels().length;
        byte[] image = new byte[batch.images().remaining() / size];
        for (int i = 0; i < size; i++) {
            batch.images().get(i * image.length, image);
            lines.append(batch.positions()[i]).append(' ');
            lines.append(batch.labels()[i]).append(' ');
            lines.append(Arrays.hashCode(image)).append('\n');
        }
        for (BadSample bad : batch.badSamples()) {
            lines.append("bad ").append(bad.position()).append(' ');
            lines.append(bad.key()).append(' ').append(bad.cause()).append('\n');
        }
    }

    /**
     * What was written down.
     *
     * @param images lines of images, by position
     * @param bad lines of replaced ones without {@code bad}, by position
     */
    record Seen(SortedMap<Long, String> images, SortedMap<Long, String> bad) {
        static Seen read(Path file) throws IOException {
            Seen seen = new Seen(new TreeMap<>(), new TreeMap<>());
            for (String line : Files.readAllLines(file)) {
                String[] fields = line.split(" ", 3);
                boolean bad = fields[0].equals("bad");
                SortedMap<Long, String> lines = bad ? seen.bad : seen.images;
                String before = lines.put(Long.parseLong(fields[bad ? 1 : 0]), line);
                if (before != null) {
                    throw new AssertionError(file + " has a position twice: " + before + ", " + line);
                }
            }
            return seen;
        }
    }
}
