package io.rasterflow.actors.embed;

import io.rasterflow.actors.run.DataPlan;
import io.rasterflow.streams.batch.BadSample;
import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.format.SampleEntry;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.SystemMaterializer;

/** All images of some shards, each once and in the order of the shards. Confined to one thread. */
public final class ImageBatches implements AutoCloseable {
    private final DataSet data;
    private final BatchReader reader;
    private int shard;
    private int sample;

    private ImageBatches(ActorSystem<?> system, DataSet data, DataPlan plan, int batch) {
        this.data = data;
        this.reader = BatchReader.open(
                Batches.evaluation(data, plan.augment(), plan.stream(), 0, batch, 0),
                SystemMaterializer.get(system).materializer());
    }

    /**
     * Opens shards of any kind, or a folder of images.
     *
     * @param batch images in a batch
     * @throws IOException one line, if there is nothing to read
     */
    public static ImageBatches open(ActorSystem<?> system, List<String> shards, DataPlan plan, int batch)
            throws IOException {
        if (batch < 1) {
            throw new IllegalArgumentException("--batch must be at least 1 but is " + batch);
        }
        return new ImageBatches(system, plan.open(shards), plan, batch);
    }

    /** How many images there are. */
    public long size() {
        return data.size();
    }

    /** The next batch, which the caller closes; empty at the end. */
    public Optional<ImageBatch> next() throws IOException, InterruptedException {
        Optional<Batch> next = reader.next();
        if (next.isEmpty()) {
            return Optional.empty();
        }
        Batch batch = next.get();
        List<String> keys = new ArrayList<>();
        int[] labels = new int[batch.labels().length];
        for (int i = 0; i < labels.length; i++) {
            SampleEntry entry = nextEntry(); // Not the batch's label, which may be a substitute's.
            keys.add(entry.key());
            labels[i] = entry.label();
        }
        Map<Integer, String> bad = new HashMap<>();
        for (BadSample sample : batch.badSamples()) {
            int index = Math.toIntExact(sample.position() - batch.positions()[0]);
            bad.put(index, sample.key() + " in " + sample.shard() + ": " + sample.cause());
        }
        return Optional.of(new ImageBatch(batch.images(), labels, keys, bad, batch::close));
    }

    private SampleEntry nextEntry() throws IOException {
        while (sample >= data.shardSize(shard)) {
            shard++;
            sample = 0;
        }
        return data.entry(shard, sample++);
    }

    @Override
    public void close() throws IOException {
        reader.close();
        data.close();
    }
}
