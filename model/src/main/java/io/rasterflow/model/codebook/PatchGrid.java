package io.rasterflow.model.codebook;

/**
 * How square images are cut into patches.
 *
 * @param imageSize side of an image in pixels
 * @param patchSize side of a patch in pixels; divides the image size
 * @param channels 1 or 3
 */
public record PatchGrid(int imageSize, int patchSize, int channels) {

    /** Patches of an image. */
    public int patches() {
        return (imageSize / patchSize) * (imageSize / patchSize);
    }

    /** Values of a patch. */
    public int patchValues() {
        return patchSize * patchSize * channels;
    }
}
