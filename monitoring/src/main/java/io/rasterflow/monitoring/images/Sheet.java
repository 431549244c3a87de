package io.rasterflow.monitoring.images;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
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
        return images.stream().anyMatch(image -> !image.attentions().isEmpty());
    }

    /**
     * @param label -1 when it has none
     * @param shown patches that the model was shown, so that the loss does not count them
     * @param loss mean over the others; null when it is no number
     * @param losses of every patch in raster order; null where the loss does not count it
     * @param attentions one of every attentive probe, in the order of their panels, which are the last; empty where there was
     *     no such probe or an older program wrote this
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Image(int label, int shown, Double loss, List<Double> losses, List<Attention> attentions) {
        public Image {
            attentions = attentions == null ? List.of() : List.copyOf(attentions);
        }
    }

    /**
     * Where an attentive probe looks in an image.
     *
     * @param set that it learned from, as in {@code probe.sets}; empty for the run's own images
     * @param heads what each takes of every patch in raster order, which sums to 1
     */
    public record Attention(String set, List<List<Double>> heads) {}
}
