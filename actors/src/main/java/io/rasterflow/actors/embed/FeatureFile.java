package io.rasterflow.actors.embed;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/** Where features go; the file appears once it is finished. */
interface FeatureFile extends Closeable {

    /** Appends the features of a batch, image by image; those of {@link ImageBatch#bad} images mean nothing. */
    void write(ImageBatch batch, float[] features) throws IOException;

    /** Puts the file in its place. */
    void finish() throws IOException;

    /**
     * A file in the format that its name ends in, .npy or .parquet.
     *
     * @param images that it will hold
     * @param shape of one image's features
     */
    static FeatureFile create(Path out, long images, long[] shape) throws IOException {
        return out.toString().endsWith(".parquet")
                ? new ParquetFeatures(out, shape)
                : new NpyFeatures(out, images, shape);
    }
}
