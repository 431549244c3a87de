package io.rasterflow.tests.model;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.parity.Parity;
import io.rasterflow.model.parity.ParityReport;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Paired
class ParityTest {
    private static final double TOLERANCE = 1e-4;

    @ParameterizedTest
    @ValueSource(strings = {"aim_a", "aim_b"})
    void everyGroupAgreesWithTheAuthorsCode(String name) throws Exception {
        ParityReport report = Parity.run(oracle(name));
        assertEquals(
                Set.of(
                        "features",
                        "prediction",
                        "loss",
                        "gradients",
                        "lossCurve",
                        "gradientNorms",
                        "finalWeights",
                        "probeLogits",
                        "probeLoss",
                        "probeGradients"),
                report.groups().keySet());
        assertAll(report.groups().entrySet().stream()
                .map(group -> () -> assertTrue(group.getValue() < TOLERANCE, group.toString())));
        assertTrue(report.passed(TOLERANCE));
        assertFalse(report.passed(0));
    }

    @Test
    void aCaseOfAnotherObjectiveIsRefusedInOneLine(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("mae.safetensors");
        SortedMap<String, Tensor> tensors =
                new TreeMap<>(Map.of("x", new Tensor(new long[] {1}, FloatBuffer.wrap(new float[1]))));
        Safetensors.write(file, tensors, Map.of("objective", "masked auto-encoding"));
        IOException refused = assertThrows(IOException.class, () -> Parity.run(file));
        assertTrue(refused.getMessage().contains("masked auto-encoding"), refused.getMessage());
        assertEquals(1, refused.getMessage().lines().count());
    }

    @Test
    void aCaseWithoutItsExpectationsIsRefusedInOneLine(@TempDir Path directory) throws Exception {
        Safetensors complete = Safetensors.read(oracle("aim_b"));
        SortedMap<String, Tensor> tensors = new TreeMap<>(complete.tensors());
        tensors.remove("expect.feature.1");
        Path file = directory.resolve("incomplete.safetensors");
        Safetensors.write(file, tensors, complete.metadata());
        IOException refused = assertThrows(IOException.class, () -> Parity.run(file));
        assertTrue(refused.getMessage().contains("expect.feature.1"), refused.getMessage());
        assertEquals(1, refused.getMessage().lines().count());
    }

    private static Path oracle(String name) throws URISyntaxException {
        return Path.of(
                ParityTest.class.getResource("/oracle/" + name + ".safetensors").toURI());
    }
}
