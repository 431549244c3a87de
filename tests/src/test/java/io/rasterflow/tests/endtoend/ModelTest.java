package io.rasterflow.tests.endtoend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code rasterflow model} as a user calls it. */
@Paired
class ModelTest {

    @TempDir
    private Path directory;

    @Test
    void aModelLargerThanTheMachineIsDescribed() throws IOException, InterruptedException {
        Rasterflow.Result result = new Rasterflow(directory)
                .run("model", "describe", "aim-7b", "--micro-batch", 2, "--flops", "4e14", "--ranks", 8, "--json");
        assertEquals(0, result.exit(), result.text());
        JsonNode json = result.json();
        assertEquals(6_445_404_160L, json.get("trunkParameters").asLong());
        assertEquals(6_857_755_212L, json.get("parameters").asLong());
        assertEquals(4 * 6_857_755_212L, json.get("weightBytes").asLong());
        assertEquals(
                2.0 * 7 / 8 * 4 * 6_857_755_212L, json.get("communicationBytes").asDouble(), 1);
        assertEquals(
                4e14,
                json.get("imagesPerSecond").asDouble()
                        * json.get("trainingFlops").asDouble(),
                1e6);
        assertTrue(json.get("checkpointedActivationBytes").asDouble()
                < 0.5 * json.get("activationBytes").asDouble());
        assertTrue(result.out().contains("trunk.blocks.*.attn.qkv.weight"), result.text());
        assertTrue(result.out().contains("12288 x 4096"), result.text());
    }

    @Test
    void presetsAreListedAndWrongWordsAreOneLine() throws IOException, InterruptedException {
        Rasterflow rasterflow = new Rasterflow(directory);
        Rasterflow.Result list = rasterflow.run("model", "list", "--json");
        assertEquals(0, list.exit(), list.text());
        assertTrue(list.json().get("presets").has("aim-nano"), list.text());
        Rasterflow.Result unknown = rasterflow.run("model", "describe", "aim-9b");
        assertEquals(2, unknown.exit(), unknown.text());
        assertEquals(1, unknown.err().lines().count(), unknown.text());
        assertTrue(unknown.err().contains("aim-600m"), unknown.text());
        Rasterflow.Result speed = rasterflow.run("model", "describe", "aim-nano", "--flops", "-1");
        assertEquals(2, speed.exit(), speed.text());
        assertTrue(speed.err().contains("--flops"), speed.text());
        Rasterflow.Result tokens = rasterflow.run(
                "model", "describe", "model.objective.target=tokens", "model.objective.codebook=none.safetensors");
        assertEquals(2, tokens.exit(), tokens.text());
        assertTrue(tokens.err().contains("model.objective.vocabulary"), tokens.text());
    }
}
