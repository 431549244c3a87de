package io.rasterflow.tests.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.config.ConfigException;
import io.rasterflow.launch.RunCodebook;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.Objective;
import io.rasterflow.model.codebook.Codebook;
import io.rasterflow.model.codebook.KMeans;
import io.rasterflow.model.codebook.PatchGrid;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KMeansTest {

    /** Signs of the six kinds of patch; normalised by the unbiased variance their values are ±√3/2. */
    private static final int[][] KINDS = {
        {1, 1, -1, -1}, {-1, -1, 1, 1}, {1, -1, 1, -1}, {-1, 1, -1, 1}, {1, -1, -1, 1}, {-1, 1, 1, -1}
    };

    private static final int IMAGES = 150;
    private static final AimConfig.Trunk TRUNK = new AimConfig.Trunk(4, 1, 1);
    private static final AimConfig.Head HEAD = new AimConfig.Head(4, 0);
    private static final AimConfig MODEL = new AimConfig(4, 2, 1, TRUNK, HEAD, 1e-6);
    private static final PatchGrid GRID = new PatchGrid(MODEL.imageSize(), MODEL.patchSize(), MODEL.channels());

    @TempDir
    private Path directory;

    /** Images of 2 x 2 patches of 2 x 2 pixels, each patch one of the kinds with a brightness and a contrast of its own. */
    private static ByteBuffer images(int kinds) {
        Random random = new Random(5);
        ByteBuffer buffer = ByteBuffer.allocateDirect(IMAGES * 16 * 4).order(ByteOrder.nativeOrder());
        FloatBuffer values = buffer.asFloatBuffer();
        for (int patch = 0; patch < IMAGES * 4; patch++) {
            int[] kind = KINDS[random.nextInt(kinds)];
            double brightness = random.nextDouble();
            double contrast = 1 + random.nextDouble();
            for (int i = 0; i < 4; i++) {
                int row = patch % 4 / 2 * 2 + i / 2;
                int column = patch % 2 * 2 + i % 2;
                values.put(patch / 4 * 16 + row * 4 + column, (float)
                        (brightness + contrast * kind[i] + 0.05 * random.nextGaussian()));
            }
        }
        return buffer;
    }

    private static Codebook train(int kinds, int size, long seed, List<Double> distortions) {
        try (KMeans kMeans = new KMeans(GRID, IMAGES)) {
            kMeans.add(images(kinds), IMAGES - 50);
            kMeans.add(images(kinds), IMAGES); // only the first 50 fit
            assertEquals(IMAGES, kMeans.images());
            return kMeans.train(size, 20, seed, (iteration, distortion, reseeded) -> distortions.add(distortion));
        }
    }

    @Test
    void wellSeparatedKindsAreFound() {
        List<Double> distortions = new ArrayList<>();
        Codebook codebook = train(6, 6, 0, distortions);
        Set<Integer> found = new HashSet<>();
        double size = Math.sqrt(3) / 2;
        for (int k = 0; k < 6; k++) {
            for (int kind = 0; kind < 6; kind++) {
                double distance = 0;
                for (int i = 0; i < 4; i++) {
                    distance += Math.pow(codebook.centroids().get(4 * k + i) - size * KINDS[kind][i], 2);
                }
                if (distance < 0.01) {
                    found.add(kind);
                }
            }
        }
        assertEquals(Set.of(0, 1, 2, 3, 4, 5), found);
        assertTrue(codebook.distortion() < 0.02, "distortion " + codebook.distortion());
        for (int i = 1; i < distortions.size(); i++) {
            assertTrue(distortions.get(i) <= distortions.get(i - 1) * (1 + 1e-6), distortions.toString());
        }
    }

    @Test
    void theSameSeedGivesTheSameBits() {
        List<Double> first = new ArrayList<>();
        List<Double> second = new ArrayList<>();
        float[] centroids = array(train(6, 17, 3, first));
        assertTrue(Arrays.equals(centroids, array(train(6, 17, 3, second))));
        assertEquals(first, second);
        assertTrue(!Arrays.equals(centroids, array(train(6, 17, 4, second))));
    }

    /** More centroids than places: every one still stands on a patch, and none is left without a number. */
    @Test
    void centroidsWithoutAPatchMove() {
        Codebook codebook = train(1, 40, 0, new ArrayList<>());
        for (float value : array(codebook)) {
            assertTrue(Float.isFinite(value));
        }
        assertTrue(codebook.distortion() < 0.002, "distortion " + codebook.distortion());
    }

    @Test
    void badSizesAreNamed() {
        for (int size : new int[] {1, IMAGES * 4 + 1}) {
            String message = assertThrows(IllegalArgumentException.class, () -> train(6, size, 0, new ArrayList<>()))
                    .getMessage();
            assertEquals(1, message.lines().count());
            assertTrue(message.contains("--size is " + size), message);
        }
        assertThrows(IllegalArgumentException.class, () -> new KMeans(GRID, 1L << 40));
    }

    @Test
    void theFileReadsBackAndOnlyFitsItsPatches() throws IOException {
        Codebook codebook = train(6, 6, 9, new ArrayList<>());
        Path file = directory.resolve("six.safetensors");
        codebook.write(file);
        Codebook read = Codebook.read(file, MODEL.patchSize(), MODEL.channels(), 6);
        assertTrue(Arrays.equals(array(codebook), array(read)));
        assertEquals(9, read.seed());
        assertEquals(IMAGES, read.images());
        assertEquals(codebook.distortion(), read.distortion());
        String message = assertThrows(IllegalArgumentException.class, () -> Codebook.read(file, 4, 1, 6))
                .getMessage();
        assertTrue(message.contains("[6, 4]") && message.contains("16"), message);
    }

    @Test
    void aRunKeepsTheCodebookThatItBeganWith() throws IOException {
        Path file = directory.resolve("six.safetensors");
        train(6, 6, 9, new ArrayList<>()).write(file);
        Path run = Files.createDirectories(directory.resolve("run"));
        assertTrue(RunCodebook.of(MODEL, run).isEmpty(), "pixels need none");
        Path own = RunCodebook.of(tokens(file, 6), run).orElseThrow();
        RunCodebook.keep(file, own);
        byte[] kept = Files.readAllBytes(own);
        Path another = directory.resolve("seven.safetensors");
        train(6, 7, 9, new ArrayList<>()).write(another);
        assertNotEquals(-1, Files.mismatch(own, another));
        RunCodebook.keep(another, RunCodebook.of(tokens(another, 6), run).orElseThrow());
        assertTrue(Arrays.equals(kept, Files.readAllBytes(own)));
        String seven = assertThrows(
                        ConfigException.class, () -> RunCodebook.of(tokens(another, 6), directory.resolve("new")))
                .getMessage();
        assertTrue(seven.contains("7 entries"), seven);
        Path none = directory.resolve("none.safetensors");
        String message = assertThrows(
                        ConfigException.class, () -> RunCodebook.of(tokens(none, 6), directory.resolve("new")))
                .getMessage();
        assertTrue(message.contains("none.safetensors"), message);
    }

    private static AimConfig tokens(Path codebook, int vocabulary) {
        Objective objective = new Objective(
                Objective.Kind.AUTOREGRESSIVE,
                0.5,
                Objective.Target.TOKENS,
                vocabulary,
                codebook.toString(),
                Objective.Order.RASTER,
                Objective.Attention.PREFIX);
        return new AimConfig(4, 2, 1, TRUNK, HEAD, objective, 1e-6);
    }

    private static float[] array(Codebook codebook) {
        float[] values = new float[codebook.size() * codebook.values()];
        codebook.centroids().duplicate().rewind().get(values);
        return values;
    }
}
