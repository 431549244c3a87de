package io.rasterflow.cli;

import io.rasterflow.actors.embed.Embedding;
import io.rasterflow.actors.embed.ImageBatches;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.config.ConfigException;
import io.rasterflow.launch.Progress;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.embed.Embedder;
import io.rasterflow.model.embed.Features;
import io.rasterflow.model.program.Engines;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code rasterflow embed}: images in, features out. */
@Command(
        name = "embed",
        description = "Writes the frozen features of images to a NumPy or parquet file.",
        footer = "%nBeside FILE.npy stand FILE.labels.npy and FILE.keys.txt; FILE.parquet has columns key, label and"
                + " features. An image that cannot be decoded has NaN or null features and is named in the report.")
final class EmbedCommand implements Callable<Integer> {

    @Option(names = "--run", required = true, paramLabel = "DIR", description = "Run directory.")
    private Path run;

    @Option(names = "--step", description = "Checkpoint; default: the latest.")
    private Long step;

    @Option(
            names = "--data",
            split = ",",
            paramLabel = "SHARDS|PARQUET|FOLDER",
            description =
                    "Tar shards, parquet files with a column image {bytes, path}, or one folder of PNG and JPEG files;"
                            + " default: the run's validation shards.")
    private List<String> data = List.of();

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "File to write: .npy or .parquet.")
    private Path out;

    @Option(
            names = "--layers",
            description =
                    "lastN (mean of the last N blocks), best6, final (last block behind the norm), or 0-based blocks"
                            + " such as 14-19 or 3,5,7; default: as the run's probe.")
    private String layers;

    @Option(
            names = "--pool",
            defaultValue = "mean",
            description = "${COMPLETION-CANDIDATES}: mean over the patches, or every patch; default ${DEFAULT-VALUE}.")
    private Features.Pool pool;

    @Option(names = "--batch", defaultValue = "64", description = "Images in a batch; default ${DEFAULT-VALUE}.")
    private int batch;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Parameters(
            arity = "0..*",
            paramLabel = "key=value",
            description = "Overrides, such as data.stream.decodeThreads=4.")
    private List<String> overrides = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        if (!out.toString().matches(".*\\.(npy|parquet)")) {
            throw new ConfigException("--out must be a .npy or .parquet file but is " + out);
        }
        Engines.configure(Runtime.getRuntime().availableProcessors());
        Path checkpoint = Checkpoints.find(run, step);
        RunPlan plan = Checkpoints.config(run, overrides).plan(run, false);
        Features features = features(plan);
        ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "embed");
        try (ImageBatches images = ImageBatches.open(
                        system, data.isEmpty() ? plan.data().validation() : data, plan.data(), batch);
                Embedder embedder = new Embedder(
                        plan.model(),
                        plan.train().compute(),
                        Checkpoint.read(checkpoint).snapshot().weights());
                Progress progress = new Progress("embed", "images", images.size())) {
            long[] shape = pool == Features.Pool.MEAN
                    ? new long[] {plan.model().trunk().dim()}
                    : new long[] {plan.model().patches(), plan.model().trunk().dim()};
            Embedding.Report report = Embedding.write(images, embedder, features, shape, out, progress::done);
            progress.close();
            print(report, features, shape);
        } finally {
            system.terminate();
        }
        return 0;
    }

    private Features features(RunPlan plan) {
        try {
            return Features.parse(
                    layers == null ? plan.probe().layers() : layers,
                    pool,
                    plan.model().trunk());
        } catch (IllegalArgumentException e) {
            throw new ConfigException(e.getMessage(), e);
        }
    }

    private void print(Embedding.Report report, Features features, long[] shape) {
        System.out.printf(
                Locale.ROOT,
                "%d images in %.1f s (%.0f images/s) · blocks %s%s · %s%n",
                report.images(),
                report.seconds(),
                report.imagesPerSecond(),
                features.layers(),
                features.normed() ? ", normed" : "",
                out);
        if (report.bad() > 0) {
            System.out.println(report.bad() + " images could not be decoded and have NaN features:");
            report.causes().forEach(cause -> System.out.println("  " + cause));
        }
        if (json) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("out", out.toString());
            fields.put("images", report.images());
            fields.put("featureShape", shape);
            fields.put("bad", report.bad());
            fields.put("seconds", report.seconds());
            fields.put("imagesPerSecond", report.imagesPerSecond());
            System.out.println(Json.line(fields));
        }
    }
}
