package io.rasterflow.tests.interop;

import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.checkpoint.Tensor;
import java.net.URISyntaxException;
import java.nio.FloatBuffer;
import java.nio.file.Path;

/** Files beside these tests; {@code reference.py make} wrote the weights. */
final class Resources {
    /** The model in trunk.pth and head.pth. */
    static final AimConfig TINY =
            new AimConfig(12, 4, 3, new AimConfig.Trunk(16, 2, 2), new AimConfig.Head(8, 1), 1e-6);

    private Resources() {}

    static Path file(String name) {
        try {
            return Path.of(Resources.class.getResource("/interop/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static float[] values(Tensor tensor) {
        FloatBuffer values = tensor.values().duplicate().rewind();
        float[] copy = new float[values.remaining()];
        values.get(copy);
        return copy;
    }
}
