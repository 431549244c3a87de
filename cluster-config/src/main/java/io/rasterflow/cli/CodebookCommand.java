package io.rasterflow.cli;

import io.rasterflow.config.ConfigException;
import io.rasterflow.config.RunConfig;
import io.rasterflow.model.codebook.Codebook;
import io.rasterflow.model.codebook.KMeans;
import io.rasterflow.model.codebook.PatchGrid;
import io.rasterflow.model.program.Engines;
import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.order.BatchPlan;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.SystemMaterializer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code rasterflow codebook}: k-means over the patches of a stream of training images. */
@Command(
        name = "codebook",
        description =
                "Makes the vocabulary of model.objective.target=tokens: k-means over the patches of training images,"
                        + " cropped and normalised as the training sees them.")
final class CodebookCommand implements Callable<Integer> {

    private static final int BATCH = 64;

    @Mixin
    private ConfigOptions configOptions;

    @Option(
            names = "--data",
            split = ",",
            paramLabel = "SHARDS",
            description = "Shards of images; default: data.train of the configuration.")
    private List<String> data = List.of();

    @Option(names = "--size", required = true, paramLabel = "K", description = "Entries of the codebook.")
    private int size;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "New .safetensors file.")
    private Path out;

    @Option(
            names = "--images",
            paramLabel = "N",
            defaultValue = "5000",
            description = "Images whose patches are clustered; default ${DEFAULT-VALUE}.")
    private long images;

    @Option(names = "--iterations", defaultValue = "25", description = "At most; default ${DEFAULT-VALUE}.")
    private int iterations;

    @Option(names = "--seed", description = "Of sample and first centroids; default: train.seed.")
    private Long seed;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Engines.configure(1);
        RunConfig config = configOptions.load().config();
        require(size >= 2, "--size must be at least 2 but is " + size);
        require(images >= 1, "--images must be at least 1 but is " + images);
        require(iterations >= 1, "--iterations must be at least 1 but is " + iterations);
        require(!Files.exists(out), "--out " + out + " exists already; delete it or choose another name");
        if (out.toAbsolutePath().getParent() != null) {
            Files.createDirectories(out.toAbsolutePath().getParent());
        }
        long chosen = seed != null ? seed : config.train().seed();
        long patches = images * config.model().patches();
        require(
                size <= patches,
                "--size " + size + " is more than the patches of --images " + images + " (" + patches
                        + "); raise --images or lower --size");
        PatchGrid grid = new PatchGrid(
                config.model().imageSize(),
                config.model().patchSize(),
                config.model().channels());
        try (KMeans kMeans = new KMeans(grid, images)) {
            read(config, chosen, kMeans);
            System.out.printf(
                    Locale.ROOT,
                    "%d images, %d patches of %d values%n",
                    kMeans.images(),
                    kMeans.images() * config.model().patches(),
                    config.model().patchValues());
            Codebook codebook = kMeans.train(
                    size,
                    iterations,
                    chosen,
                    (iteration, distortion, reseeded) -> System.out.printf(
                            Locale.ROOT,
                            "iteration %d · distortion %.5f%s%n",
                            iteration,
                            distortion,
                            reseeded == 0 ? "" : " · " + reseeded + " without a patch moved"));
            codebook.write(out);
            System.out.printf(Locale.ROOT, "distortion %.5f · %d entries in %s%n", codebook.distortion(), size, out);
            if (json) {
                System.out.println(Json.line(fields(codebook)));
            }
        }
        return 0;
    }

    /** The images as the training sees them: in its order, cropped, flipped and normalised. */
    private void read(RunConfig config, long chosen, KMeans kMeans) throws IOException, InterruptedException {
        ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "codebook");
        try (DataSet set =
                data.isEmpty() ? config.data().openTrain() : config.data().open(data)) {
            var source = Batches.training(
                    set,
                    chosen,
                    new BatchPlan(BATCH, 1),
                    config.data().augment(),
                    config.data().stream(),
                    0,
                    (images + BATCH - 1) / BATCH,
                    0,
                    1);
            try (BatchReader reader =
                    BatchReader.open(source, SystemMaterializer.get(system).materializer())) {
                for (Optional<Batch> next = reader.next(); next.isPresent(); next = reader.next()) {
                    try (Batch batch = next.get()) {
                        kMeans.add(batch.images(), batch.labels().length);
                    }
                }
            }
        } finally {
            system.terminate();
        }
    }

    private Map<String, Object> fields(Codebook codebook) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("out", out.toString());
        fields.put("size", codebook.size());
        fields.put("values", codebook.values());
        fields.put("images", codebook.images());
        fields.put("seed", codebook.seed());
        fields.put("distortion", codebook.distortion());
        return fields;
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new ConfigException(message);
        }
    }
}
