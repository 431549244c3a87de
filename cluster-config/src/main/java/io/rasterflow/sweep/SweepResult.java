package io.rasterflow.sweep;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.rasterflow.config.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What came out of one run; kept as {@code RUN/sweep.json}, by which a later sweep knows that the run is over. Values that
 * there are not are null.
 *
 * @param name of the run
 * @param base preset or file
 * @param overrides that it was trained with
 * @param steps optimizer steps
 * @param trainLoss at the end
 * @param validationLoss at the end
 * @param attentive top-1 of the run's own attentive probe, as a fraction
 * @param probes top-1 of further probes by kind
 * @param imagesPerSecond throughput of the training
 * @param error why there is no more than this, in one line
 */
public record SweepResult(
        @JsonProperty("name") String name,
        @JsonProperty("base") String base,
        @JsonProperty("overrides") List<String> overrides,
        @JsonProperty("steps") Long steps,
        @JsonProperty("trainLoss") Double trainLoss,
        @JsonProperty("validationLoss") Double validationLoss,
        @JsonProperty("attentive") Double attentive,
        @JsonProperty("probes") Map<String, Double> probes,
        @JsonProperty("imagesPerSecond") Double imagesPerSecond,
        @JsonProperty("error") String error) {

    static final ObjectMapper MAPPER = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private static final String FILE = "sweep.json";

    public SweepResult {
        overrides = List.copyOf(overrides);
        probes = new TreeMap<>(probes);
    }

    /** A run that did not come to its end. */
    static SweepResult failed(String name, String base, List<String> overrides, String error) {
        return new SweepResult(name, base, overrides, null, null, null, null, Map.of(), null, error);
    }

    SweepResult withProbe(String kind, double accuracy) {
        Map<String, Double> more = new TreeMap<>(probes);
        more.put(kind, accuracy);
        return new SweepResult(
                name, base, overrides, steps, trainLoss, validationLoss, attentive, more, imagesPerSecond, error);
    }

    SweepResult withError(String why) {
        return new SweepResult(
                name, base, overrides, steps, trainLoss, validationLoss, attentive, probes, imagesPerSecond, why);
    }

    /** Of a run that is over. */
    static Optional<SweepResult> read(Path runDirectory) {
        Path file = runDirectory.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(MAPPER.readValue(Files.readString(file), SweepResult.class));
        } catch (IOException | RuntimeException e) {
            String line = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new ConfigException(
                    file + " is not the result of a run (" + line + "); delete it to train the run again", e);
        }
    }

    void write(Path runDirectory) throws IOException {
        Path partial = runDirectory.resolve(FILE + ".part");
        Files.writeString(partial, text());
        Files.move(partial, runDirectory.resolve(FILE), StandardCopyOption.REPLACE_EXISTING);
    }

    private String text() throws JsonProcessingException {
        return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n";
    }
}
