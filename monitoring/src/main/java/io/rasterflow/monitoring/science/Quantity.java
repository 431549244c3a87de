package io.rasterflow.monitoring.science;

import java.util.function.ToDoubleFunction;

/** What a loss can fall with. */
public enum Quantity {
    PARAMETERS("parameters", RunPoint::parameters),
    SAMPLES("samples", RunPoint::samples),
    FLOPS("FLOPs", RunPoint::flops);

    private final String label;
    private final ToDoubleFunction<RunPoint> size;

    Quantity(String label, ToDoubleFunction<RunPoint> size) {
        this.label = label;
        this.size = size;
    }

    /** As people write it. */
    public String label() {
        return label;
    }

    /** How much of it a run has. */
    public double of(RunPoint run) {
        return size.applyAsDouble(run);
    }
}
