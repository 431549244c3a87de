package io.rasterflow.tests.endtoend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** import, embed and export as a user runs them. */
@Paired
class EcosystemTest {
    private static final Path FIXTURES = Rasterflow.HOME.resolve("tests/src/test/resources/interop");

    @TempDir
    Path directory;

    @Test
    void anImportedModelIsEmbeddedAndExported() throws IOException, InterruptedException {
        Rasterflow rasterflow = new Rasterflow(directory);
        Rasterflow.Result imported = rasterflow.run(
                "import",
                FIXTURES.resolve("trunk.pth"),
                "--probe-head",
                FIXTURES.resolve("head.pth"),
                "--run",
                "run",
                "--json",
                "model.trunk.heads=2");
        assertEquals(0, imported.exit(), imported.text());
        assertEquals(3, imported.json().path("probeClasses").asInt(), imported.text());

        Path shard = Rasterflow.HOME.resolve("streams/data/fashion-mnist/validation-02.tar.gz");
        Rasterflow.Result embedded = rasterflow.run(
                "embed", "--run", "run", "--data", shard, "--out", "f.npy", "--layers", "final", "--json");
        assertEquals(0, embedded.exit(), embedded.text());
        JsonNode report = embedded.json();
        assertTrue(
                report.path("images").asInt() > 0
                        && report.path("imagesPerSecond").asDouble() > 0,
                embedded.text());
        assertEquals(0, report.path("bad").asInt(), embedded.text());
        long bytes = report.path("images").asLong() * 16 * Float.BYTES;
        assertEquals(128 + bytes, Files.size(directory.resolve("f.npy")), embedded.text());

        Rasterflow.Result exported =
                rasterflow.run("export", "--run", "run", "--format", "huggingface", "--out", "hf", "--json");
        assertEquals(0, exported.exit(), exported.text());
        Rasterflow.Result again = rasterflow.run("import", "hf", "--run", "again");
        assertEquals(0, again.exit(), again.text());
        assertTrue(again.out().contains("attentive, 3 classes"), again.text());
    }

    @Test
    void whatCannotBeTakenOverIsNamedInOneLine() throws IOException, InterruptedException {
        Rasterflow rasterflow = new Rasterflow(directory);
        Path file = Files.writeString(directory.resolve("evil.pth"), "cos\nsystem\n(S'touch witness'\ntR.");
        Rasterflow.Result refused = rasterflow.run("import", file, "--run", "run");
        assertEquals(1, refused.exit(), refused.text());
        assertEquals(1, refused.err().lines().count(), refused.text());
        assertTrue(refused.err().contains("evil.pth"), refused.text());
        assertTrue(Files.notExists(directory.resolve("witness")) && Files.notExists(directory.resolve("run")));
    }
}
