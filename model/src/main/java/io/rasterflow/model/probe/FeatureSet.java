package io.rasterflow.model.probe;

/** Cached frozen features (images, patches, dim) with their labels, in native memory. */
public interface FeatureSet extends AutoCloseable {

    /** Number of images appended so far. */
    int size();

    @Override
    void close();
}
