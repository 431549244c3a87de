package io.rasterflow.cli;

import io.rasterflow.config.RunConfig;
import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.bench.InputBenchmark;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.SystemMaterializer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench input}: the training stream of a shard. */
@Command(
        name = "input",
        description = "Times the input pipeline: reading, decoding, random resized crop (area 0.4 to 1, bicubic), flip,"
                + " normalising.")
final class BenchInputCommand implements Callable<Integer> {

    @Option(names = "--shard", required = true, split = ",", paramLabel = "SHARDS", description = "Shards to read.")
    private List<String> shards;

    @Option(names = "--size", defaultValue = "224", description = "Side of the output (${DEFAULT-VALUE}).")
    private int size;

    @Option(names = "--channels", defaultValue = "3", description = "1 grey, 3 RGB (${DEFAULT-VALUE}).")
    private int channels;

    @Option(names = "--threads", defaultValue = "0", description = "Decode threads; 0 is one per core.")
    private int threads;

    @Option(
            names = "--seconds",
            defaultValue = "10",
            description = "Measured seconds, after half as many others (${DEFAULT-VALUE}).")
    private double seconds;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        require(size >= 1 && size <= 4096, "--size must be between 1 and 4096 but is " + size);
        require(channels == 1 || channels == 3, "--channels must be 1 or 3 but is " + channels);
        require(threads >= 0 && threads <= 1024, "--threads must be between 0 and 1024 but is " + threads);
        require(seconds > 0 && seconds <= 3600, "--seconds must be between 0 and 3600 but is " + seconds);
        int used = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
        AugmentConfig augment = new AugmentConfig(
                size,
                channels,
                0.4,
                1,
                3.0 / 4,
                4.0 / 3,
                0.5,
                size,
                Collections.nCopies(channels, 0.5),
                Collections.nCopies(channels, 0.25));
        ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "bench");
        try (DataSet data = RunConfig.load("", List.of()).config().data().open(shards)) {
            print(
                    used,
                    InputBenchmark.run(
                            data,
                            augment,
                            used,
                            seconds,
                            SystemMaterializer.get(system).materializer()));
        } finally {
            system.terminate();
        }
        return 0;
    }

    private void require(boolean condition, String message) {
        if (!condition) {
            throw new CommandLine.ParameterException(spec.commandLine(), message);
        }
    }

    private void print(int used, InputBenchmark input) {
        double perCore = input.imagesPerSecond() / used;
        System.out.printf(
                Locale.ROOT,
                "%.0f images/s, %.0f per core (reading %.1f %%, decoding and augmenting %.1f %% of %d threads)%n",
                input.imagesPerSecond(),
                perCore,
                100 * input.fetchSeconds() / input.seconds() / used,
                100 * input.decodeSeconds() / input.seconds() / used,
                used);
        if (json) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("imagesPerSecond", input.imagesPerSecond());
            fields.put("imagesPerSecondPerCore", perCore);
            fields.put("threads", used);
            fields.put("images", input.images());
            fields.put("seconds", input.seconds());
            fields.put("fetchSeconds", input.fetchSeconds());
            fields.put("decodeSeconds", input.decodeSeconds());
            fields.put("badSamples", input.badSamples());
            System.out.println(Json.line(fields));
        }
    }
}
