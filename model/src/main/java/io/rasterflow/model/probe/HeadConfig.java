package io.rasterflow.model.probe;

/**
 * How the head of a probe is trained: AdamW (0.9, 0.999), clip 3, cosine to 1e-5.
 *
 * @param epochs passes over the training features
 * @param batch images per step
 * @param weightDecay AdamW weight decay
 */
public record HeadConfig(int epochs, int batch, double weightDecay) {}
