package io.rasterflow.cli;

import io.rasterflow.actors.trainer.Replay;
import io.rasterflow.config.ConfigException;
import io.rasterflow.monitoring.journal.StepRecord;
import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageHeader;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rasterflow replay}: what was in that step? */
@Command(
        name = "replay",
        description =
                "Computes a step of a run again, on one node from the last checkpoint before it, compares it bit for"
                        + " bit with the journals, and lists the images of the step by the loss of each.",
        footer = "%nExit 1 if the step comes out differently than the journals say.")
final class ReplayCommand implements Callable<Integer> {

    @Option(names = "--run", required = true, paramLabel = "DIR", description = "Run directory.")
    private Path run;

    @Option(names = "--step", required = true, paramLabel = "S", description = "Step, 0 for the first.")
    private long step;

    @Option(
            names = "--top",
            paramLabel = "N",
            defaultValue = "10",
            description = "Images to list and extract, the highest loss first; default: ${DEFAULT-VALUE}.")
    private int top;

    @Option(
            names = "--extract",
            paramLabel = "FOLDER",
            description = "Writes these images there, as they lie in their shards.")
    private Path extract;

    @Option(names = "--json", description = "Prints one JSON object, with all images, as the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (top < 0) {
            throw new ConfigException("--top must not be negative but is " + top);
        }
        StepReplay replay = StepReplay.of(run, step);
        Optional<StepRecord> journalled = StepRecord.read(run, step);
        Optional<Boolean> same = journalled.map(record -> same(record, replay.result()));
        print(replay, journalled, same);
        if (extract != null) {
            extract(replay);
        }
        if (json) {
            System.out.println(Json.line(fields(replay.result(), same, replay.worst())));
        }
        return same.orElse(true) ? 0 : 1;
    }

    private static boolean same(StepRecord record, Replay.Result result) {
        return Double.compare(record.loss(), result.loss()) == 0
                && Double.compare(record.gradientNorm(), result.gradientNorm()) == 0
                && (record.digest().isEmpty() || record.digest().equals(result.digest()));
    }

    private void print(StepReplay replay, Optional<StepRecord> journalled, Optional<Boolean> same) {
        Replay.Result result = replay.result();
        System.out.printf(
                Locale.ROOT,
                "step %d, computed from the checkpoint of step %d%n  loss %s · gradient norm %s · learning rate %s%n",
                result.step(),
                result.checkpoint(),
                result.loss(),
                result.gradientNorm(),
                result.learningRate());
        if (same.isEmpty()) {
            System.out.println("  no journal has this step: there is nothing to compare it with");
        } else if (same.get()) {
            System.out.println(
                    "  bit for bit as journalled by " + journalled.get().worldSize() + " rank(s)");
        } else {
            StepRecord record = journalled.get();
            System.out.println("  the journals say loss " + record.loss() + ", gradient norm " + record.gradientNorm()
                    + ", history " + record.digest() + ", but here it is " + result.digest()
                    + "; another kind of processor, exchange.wire=bf16 or changed data do that");
        }
        replay.worst().stream()
                .limit(top)
                .forEach(image -> System.out.printf(
                        Locale.ROOT,
                        "  loss %9.4f  gradient norm %9.3g  micro-batch %d  position %d  %s at byte %d, %s%s%n",
                        image.loss(),
                        image.gradientNorm(),
                        image.microBatch(),
                        image.position(),
                        image.shard(),
                        image.offset(),
                        image.key(),
                        image.quarantined().isEmpty() ? "" : " (another in its place: " + image.quarantined() + ")"));
        System.out.println("to train on from there without them: ./rasterflow rollback --run " + run + " --step " + step
                + " --top " + top + " --to NEW");
    }

    private void extract(StepReplay replay) throws IOException {
        List<Replay.Image> images = replay.named(top);
        Files.createDirectories(extract);
        try (DataSet data = replay.plan().data().openTrain()) {
            for (Replay.Image image : images) {
                byte[] bytes = data.read(image.id()).bytes();
                String name = image.position() + "-" + image.key().replaceAll("[^A-Za-z0-9._-]", "_");
                Files.write(extract.resolve(name + extension(bytes)), bytes);
            }
        }
        System.out.println("written: " + images.size() + " images to " + extract);
    }

    private static String extension(byte[] bytes) {
        try {
            return "." + ImageHeader.read(bytes).format().name().toLowerCase(Locale.ROOT);
        } catch (DecodeException e) {
            return ".bin"; // It could be read when it was trained on.
        }
    }

    private Map<String, Object> fields(Replay.Result result, Optional<Boolean> same, List<Replay.Image> images) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("step", result.step());
        fields.put("checkpoint", result.checkpoint());
        fields.put("loss", result.loss());
        fields.put("gradientNorm", result.gradientNorm());
        fields.put("learningRate", result.learningRate());
        fields.put("digest", result.digest());
        fields.put("bitForBit", same.orElse(null));
        List<Map<String, Object>> list = new ArrayList<>();
        for (Replay.Image image : images) {
            Map<String, Object> each = new LinkedHashMap<>();
            each.put("position", image.position());
            each.put("shard", image.shard());
            each.put("offset", image.offset());
            each.put("key", image.key());
            each.put("label", image.label());
            each.put("microBatch", image.microBatch());
            each.put("loss", finite(image.loss()));
            each.put("gradientNorm", finite(image.gradientNorm()));
            each.put("quarantined", image.quarantined());
            list.add(each);
        }
        fields.put("images", list);
        return fields;
    }

    private static Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }
}
