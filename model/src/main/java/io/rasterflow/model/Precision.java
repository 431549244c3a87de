package io.rasterflow.model;

/** In which type the matrix products run; weights, moments and the exchanged gradient are float32 either way. */
public enum Precision {
    FP32,
    BF16,
    /** bf16 where the processor multiplies bf16 in hardware (AMX or AVX512-BF16), else float32. */
    AUTO
}
