package io.rasterflow.tests.model;

import static io.rasterflow.tests.model.Models.SMALL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rasterflow.model.Compute;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.finetune.BatchMixer;
import io.rasterflow.model.finetune.FineTuneConfig;
import io.rasterflow.model.finetune.FineTuneConfig.Kind;
import io.rasterflow.model.finetune.FineTuner;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One step of fine-tuning against plain PyTorch, where a Python with torch is at hand. */
class FineTunePeerTest {
    private static final int IMAGES = 5;
    private static final int CLASSES = 6;
    private static final double RATE = 2e-3;
    private static final double TOLERANCE = 1e-4;

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aStepAgreesWithPyTorch(Kind kind) throws Exception {
        String python = python();
        FineTuneConfig config =
                new FineTuneConfig(kind, 3, 6, CLASSES, 2, 1, IMAGES, RATE, 0.05, 0.7, 0, 0, 0, 0, 0.1, 0, 0, 0, 5);
        ByteBuffer images = Models.images(SMALL, IMAGES, 1);
        float[] targets = new BatchMixer(config, 1, 28)
                .apply(images, new int[] {0, 1, 2, 3, 5}, new long[IMAGES], 0)
                .targets();
        try (FineTuner tuner = new FineTuner(SMALL, config, Compute.REFERENCE)) {
            SortedMap<String, Tensor> base = weights();
            tuner.load(base);
            for (int i = 0; i < 3; i++) {
                tuner.step(images, targets, 1e-2); // so that both factors of the adapters are away from zero
            }
            SortedMap<String, Tensor> start = tuner.trained();
            tuner.restore(start);
            Safetensors expected = peer(python, config, base, start, images, targets);
            SortedMap<String, Tensor> gradients = tuner.gradients(images, targets);
            FineTuner.Step step = tuner.step(images, targets, RATE);
            float loss = expected.tensor("loss").values().get(0);
            assertEquals(loss, step.loss(), TOLERANCE * loss);
            gradients.forEach((name, gradient) -> close("gradient." + name, expected, gradient));
            tuner.trained().forEach((name, after) -> close("after." + name, expected, after));
            close("mean", expected, tuner.head().get("bn.running_mean"));
            close("variance", expected, tuner.head().get("bn.running_var"));
        }
    }

    private static SortedMap<String, Tensor> weights() {
        try (Replica replica = Aim.replica(SMALL, Models.OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(2);
            Snapshot snapshot = replica.snapshot();
            SortedMap<String, Tensor> trunk = new TreeMap<>(snapshot.weights());
            trunk.keySet().removeIf(name -> name.startsWith("head."));
            return trunk;
        }
    }

    /** Relative error of the whole tensor in the Euclidean norm. */
    private static void close(String name, Safetensors expected, Tensor actual) {
        Tensor reference = expected.tensor(name);
        double error = 0;
        double norm = 0;
        for (int i = 0; i < reference.values().capacity(); i++) {
            double difference = reference.values().get(i) - actual.values().get(i);
            error += difference * difference;
            norm += (double) reference.values().get(i) * reference.values().get(i);
        }
        assertTrue(Math.sqrt(error) <= TOLERANCE * Math.sqrt(norm), name + " is off by " + Math.sqrt(error / norm));
    }

    private Safetensors peer(
            String python,
            FineTuneConfig config,
            SortedMap<String, Tensor> base,
            SortedMap<String, Tensor> trained,
            ByteBuffer images,
            float[] targets)
            throws Exception {
        SortedMap<String, Tensor> tensors = new TreeMap<>();
        base.forEach((name, tensor) -> tensors.put("base." + name, tensor));
        trained.forEach((name, tensor) -> tensors.put("trained." + name, tensor));
        tensors.put("images", new Tensor(new long[] {IMAGES, 1, 28, 28}, images.asFloatBuffer()));
        tensors.put("targets", Models.tensor(targets, IMAGES, CLASSES));
        Map<String, String> settings = new HashMap<>();
        settings.put("kind", config.kind().name().toLowerCase(Locale.ROOT));
        settings.put("heads", Integer.toString(SMALL.trunk().heads()));
        settings.put("eps", Double.toString(SMALL.normEps()));
        settings.put("scale", Double.toString(config.scale()));
        settings.put("last", Integer.toString(config.lastBlocks()));
        settings.put("rate", Double.toString(RATE));
        settings.put("decay", Double.toString(config.weightDecay()));
        settings.put("layerDecay", Double.toString(config.layerDecay()));
        Path input = directory.resolve("case.safetensors");
        Path output = directory.resolve("result.safetensors");
        Safetensors.write(input, tensors, settings);
        Path script = Path.of(
                FineTunePeerTest.class.getResource("/model/finetune_step.py").toURI());
        Process process = new ProcessBuilder(python, script.toString(), input.toString(), output.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log.txt").toFile())
                .start();
        assertTrue(process.waitFor(120, TimeUnit.SECONDS), "the script did not end");
        assertEquals(0, process.exitValue(), Files.readString(directory.resolve("log.txt")));
        return Safetensors.read(output);
    }

    private static String python() throws InterruptedException {
        String python = System.getenv().getOrDefault("RASTERFLOW_PYTHON", "python3");
        try {
            Process process = new ProcessBuilder(python, "-c", "import torch")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            assumeTrue(process.waitFor() == 0, python + " has no torch; name one that has with RASTERFLOW_PYTHON");
        } catch (IOException e) {
            assumeTrue(false, "there is no " + python + "; name a Python with torch with RASTERFLOW_PYTHON");
        }
        return python;
    }
}
