package io.rasterflow.model.probe;

import java.util.Locale;

/** What is put on frozen features. */
public enum ProbeKind {
    /** Attention with one learned query over the patches, then a linear classifier (arXiv 2401.08541, section 4.2). */
    ATTENTIVE,
    /** A linear classifier on the mean over the patches. */
    LINEAR,
    /** The weighted vote of the nearest training images, by the cosine between means over the patches. */
    KNN;

    /** Whether it reads the mean over the patches (X, D) and not the patches (X, N, D). */
    public boolean pooled() {
        return this != ATTENTIVE;
    }

    /** As in configurations and events. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
