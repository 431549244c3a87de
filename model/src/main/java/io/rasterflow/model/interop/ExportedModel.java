package io.rasterflow.model.interop;

import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.optimizer.OptimizerConfig;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/**
 * A trained model on its way out.
 *
 * @param config shape and objective
 * @param optimizer settings of its training, for the training step of a TorchScript archive
 * @param weights all parameters by checkpoint name
 * @param probe attentive probe, if the checkpoint has one
 * @param layers features are the mean of these blocks' outputs, 0-based, ascending
 * @param preprocessing how an image becomes an input
 * @param origin run and step, for people
 */
public record ExportedModel(
        AimConfig config,
        OptimizerConfig optimizer,
        SortedMap<String, Tensor> weights,
        Optional<ProbeHead> probe,
        List<Integer> layers,
        Preprocessing preprocessing,
        String origin) {

    /**
     * @param evalResize shorter side before the centre crop, in pixels
     * @param mean per channel, of values in 0 … 1
     * @param std per channel
     */
    public record Preprocessing(int evalResize, List<Double> mean, List<Double> std) {}

    public ExportedModel {
        layers = List.copyOf(layers);
    }
}
