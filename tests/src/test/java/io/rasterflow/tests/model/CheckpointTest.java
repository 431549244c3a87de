package io.rasterflow.tests.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.checkpoint.TrainingState;
import io.rasterflow.model.checkpoint.WeightsHash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
    @TempDir
    Path run;

    private static SortedMap<String, Tensor> tensors(float shift) {
        return new TreeMap<>(Map.of(
                "b.bias", Models.tensor(new float[] {shift, -0f, Float.MIN_VALUE}, 3),
                "a.weight", Models.tensor(new float[] {1, 2, 3, 4, 5, shift + 6}, 2, 3)));
    }

    private static Snapshot snapshot(long step) {
        return new Snapshot(step, tensors(step), tensors(0.5f), tensors(0.25f));
    }

    private static TrainingState state(Snapshot snapshot) {
        return new TrainingState(
                snapshot.step(), 2, 1L << 40, -9, 4, 0.5, Double.NaN, WeightsHash.sha256(snapshot.weights()));
    }

    private Path write(long step) throws IOException {
        return Checkpoint.write(run, snapshot(step), state(snapshot(step)));
    }

    private List<String> entries() throws IOException {
        try (Stream<Path> paths = Files.list(run.resolve("checkpoints"))) {
            return paths.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void aCheckpointComesBackAsItWas() throws IOException {
        Path directory = write(500);
        assertEquals(run.resolve("checkpoints/step-00000500"), directory);
        Checkpoint.Contents contents = Checkpoint.read(directory);
        assertEquals(state(snapshot(500)), contents.state());
        assertEquals(Models.hash(snapshot(500)), Models.hash(contents.snapshot()));
        assertEquals(500, contents.snapshot().step());
        assertArrayEquals(
                new long[] {2, 3}, contents.snapshot().weights().get("a.weight").shape());
    }

    @Test
    void theLatestIsTheHighestStepAndLeftoversAreIgnored() throws IOException {
        assertEquals(Optional.empty(), Checkpoint.latest(run));
        write(90);
        Path newest = write(100);
        Files.createDirectories(run.resolve("checkpoints/.step-00000200-1.tmp"));
        Files.createDirectories(run.resolve("checkpoints/step-00000300"));
        assertEquals(Optional.of(newest), Checkpoint.latest(run));
    }

    @Test
    void theSameStepMayBeWrittenAgainAndLeftoversGo() throws IOException {
        write(1);
        String writing = ".step-00000002-"
                + ProcessHandle.current().parent().orElseThrow().pid() + ".tmp";
        for (String leftover : List.of(".step-00000002-999999999.tmp", ".step-00000003-999999999.tmp", writing)) {
            Path directory = Files.createDirectories(run.resolve("checkpoints").resolve(leftover));
            Path file = Files.writeString(directory.resolve("model.safetensors"), "cut off");
            FileTime old = FileTime.from(Instant.now().minusSeconds(leftover.contains("3-") ? 0 : 120));
            Files.setLastModifiedTime(file, old);
            Files.setLastModifiedTime(directory, old);
        }
        Path again = write(1);
        // What a living process writes stays, and what was written to a moment ago, perhaps by another host.
        assertEquals(List.of(writing, ".step-00000003-999999999.tmp", "step-00000001"), entries());
        assertEquals(1, Checkpoint.read(again).state().step());
    }

    @Test
    void aFailedWriteNamesThePathAndLeavesNothing() throws IOException {
        Path good = write(1);
        SortedMap<String, Tensor> broken = tensors(0);
        broken.put("c", Models.tensor(new float[1], 2));
        Snapshot snapshot = new Snapshot(2, tensors(0), broken, tensors(0));
        IOException failed = assertThrows(IOException.class, () -> Checkpoint.write(run, snapshot, state(snapshot)));
        assertTrue(failed.getMessage().contains("step-00000002"), failed.getMessage());
        assertEquals(1, failed.getMessage().lines().count());
        assertEquals(List.of("step-00000001"), entries());
        assertEquals(Optional.of(good), Checkpoint.latest(run));
    }

    @Test
    void aRunDirectoryThatCannotBeWrittenIsNamed() throws IOException {
        Path file = run.resolve("checkpoints");
        Files.writeString(file, "in the way");
        IOException failed = assertThrows(IOException.class, () -> write(1));
        assertTrue(failed.getMessage().contains(file.toString()), failed.getMessage());
    }

    @Test
    void alteredWeightsAreNoticed() throws IOException {
        Path directory = write(1);
        Path model = directory.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(model);
        bytes[bytes.length - 1] ^= 1;
        Files.write(model, bytes);
        IOException failed = assertThrows(IOException.class, () -> Checkpoint.read(directory));
        assertTrue(failed.getMessage().contains("SHA-256"), failed.getMessage());
    }

    @Test
    void aBrokenStateIsOneLine() throws IOException {
        Path directory = write(1);
        for (String broken : List.of("", "{", "[]", "{\"step\": 1}", "{\"step\": \"one\"}")) {
            Files.writeString(directory.resolve("state.json"), broken);
            IOException failed = assertThrows(IOException.class, () -> Checkpoint.read(directory), broken);
            assertTrue(failed.getMessage().contains("state.json"), failed.getMessage());
            assertEquals(1, failed.getMessage().lines().count());
        }
        Files.delete(directory.resolve("state.json"));
        assertThrows(IOException.class, () -> Checkpoint.read(directory));
        assertFalse(Checkpoint.latest(run).isPresent());
    }
}
