package io.rasterflow.tests.endtoend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code rasterflow codebook} on the bundled images. */
@Paired
class CodebookTest {

    @TempDir
    private Path directory;

    @Test
    void aCodebookIsMadeFromTheTrainingImages() throws IOException, InterruptedException {
        Rasterflow rasterflow = new Rasterflow(directory);
        Path file = directory.resolve("books/k.safetensors");
        String shard = Rasterflow.HOME
                .resolve("streams/data/fashion-mnist/train-00.tar.gz")
                .toString();
        Rasterflow.Result result = rasterflow.run(
                "codebook", "--data", shard, "--size", 16, "--images", 100, "--iterations", 5, "--out", file, "--json");
        assertEquals(0, result.exit(), result.text());
        assertTrue(result.out().contains("iteration 1 · distortion "), result.text());
        assertEquals(100, result.json().get("images").asInt());
        // A normalised patch of 49 values is 48 from 0: centroids must explain a good part of that.
        double distortion = result.json().get("distortion").asDouble();
        assertTrue(distortion > 0 && distortion < 30, result.text());
        Safetensors read = Safetensors.read(file);
        assertEquals(16, read.tensor("codebook").shape()[0]);
        assertEquals(49, read.tensor("codebook").shape()[1]);
        assertEquals("true", read.metadata().get("normalised"));
        assertEquals("7", read.metadata().get("patchSize"));

        Rasterflow.Result twice = rasterflow.run("codebook", "--size", 16, "--out", file);
        assertEquals(2, twice.exit(), twice.text());
        assertTrue(twice.err().contains("exists already"), twice.text());
        Rasterflow.Result large =
                rasterflow.run("codebook", "--size", 17, "--images", 1, "--out", directory.resolve("x.safetensors"));
        assertEquals(2, large.exit(), large.text());
        assertEquals(1, large.err().lines().count(), large.text());
        assertTrue(large.err().contains("--size 17"), large.text());
    }
}
