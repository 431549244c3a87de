package io.rasterflow.actors.embed;

import io.rasterflow.streams.batch.BadSample;
import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.SystemMaterializer;

/** The images of shards, in the order of the shards. */
final class ShardBatches implements ImageBatches {
    private final DataSet data;
    private final BatchReader reader;
    private int shard;
    private int sample;

    ShardBatches(ActorSystem<?> system, List<String> shards, Reading reading) throws IOException {
        data = DataSet.open(shards, reading.cache());
        reader = BatchReader.open(
                Batches.evaluation(data, reading.augment(), reading.stream(), 0, reading.batch(), 0),
                SystemMaterializer.get(system).materializer());
    }

    @Override
    public long size() {
        return data.size();
    }

    @Override
    public Optional<ImageBatch> next() throws IOException, InterruptedException {
        Optional<Batch> next = reader.next();
        if (next.isEmpty()) {
            return Optional.empty();
        }
        Batch batch = next.get();
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < batch.labels().length; i++) {
            keys.add(nextKey());
        }
        Map<Integer, String> bad = new HashMap<>();
        for (BadSample sample : batch.badSamples()) {
            int index = Math.toIntExact(sample.position() - batch.positions()[0]);
            bad.put(index, sample.key() + " in " + sample.shard() + ": " + sample.cause());
        }
        return Optional.of(new ImageBatch(batch.images(), batch.labels(), keys, bad, batch::close));
    }

    private String nextKey() throws IOException {
        while (sample >= data.sampleCounts()[shard]) {
            shard++;
            sample = 0;
        }
        String key = data.entry(shard, sample).key();
        sample++;
        return key;
    }

    @Override
    public void close() throws IOException {
        reader.close();
        data.close();
    }
}
