package io.rasterflow.model.checkpoint;

import java.nio.FloatBuffer;

/**
 * A named float32 tensor outside the engine, row-major.
 *
 * @param shape sizes, outermost first
 * @param values read-only view from position 0 to the product of the sizes
 */
public record Tensor(long[] shape, FloatBuffer values) {}
