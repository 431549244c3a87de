package io.rasterflow.monitoring.images;

import java.util.List;

/**
 * What is on a picture of predictions, in pixels from its upper left: one row an image, one column a panel.
 *
 * @param step whose weights predicted
 * @param panels what the columns show, from the left
 * @param size side of a panel
 * @param gap between two panels
 * @param grid patches per side of an image
 * @param worst loss of a patch from which on its colour stays the same
 * @param images from the top
 */
public record Sheet(long step, List<String> panels, int size, int gap, int grid, double worst, List<Image> images) {

    public Sheet {
        panels = List.copyOf(panels);
        images = List.copyOf(images);
    }

    /** Whether it shows where an attentive probe looks. */
    public boolean attended() {
        return images.stream().anyMatch(image -> !image.attention().isEmpty());
    }

    /**
     * @param label -1 when it has none
     * @param shown patches that the model was shown, so that the loss does not count them
     * @param loss mean over the others; null when it is no number
     * @param losses of every patch in raster order; null where the loss does not count it
     * @param attention what each head of an attentive probe takes of every patch in raster order, a list a head that sums to
     *     1; empty where there was no such probe or an older program wrote this
     */
    public record Image(int label, int shown, Double loss, List<Double> losses, List<List<Double>> attention) {
        public Image {
            attention = attention == null ? List.of() : List.copyOf(attention);
        }
    }
}
