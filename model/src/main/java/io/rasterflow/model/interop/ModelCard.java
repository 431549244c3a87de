package io.rasterflow.model.interop;

import io.rasterflow.model.aim.AimConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The README of an exported folder: what the model is, how it was prepared, how it is loaded. */
final class ModelCard {
    /** What ml-aim computes with, whatever a checkpoint says. */
    private static final double ML_AIM_EPS = 1e-6;

    private ModelCard() {}

    static String text(ExportedModel model) {
        AimConfig config = model.config();
        long parameters = WeightsExport.tensors(model, false).values().stream()
                .mapToLong(tensor -> tensor.values().capacity())
                .sum();
        List<String> lines = new ArrayList<>();
        lines.add("---");
        lines.add("tags: [image-feature-extraction, aim, rasterflow]");
        lines.add("---");
        lines.add("");
        lines.add("# AIM model from " + model.origin());
        lines.add("");
        lines.add(String.format(
                Locale.ROOT,
                "An autoregressive image model (arXiv 2401.08541) with %,d parameters: %d blocks, width %d, %d heads,"
                        + " %d-pixel images with %d channel(s), patches of %d pixels. The names of the tensors are those of"
                        + " ml-aim (aim-v1).",
                parameters,
                config.trunk().blocks(),
                config.trunk().dim(),
                config.trunk().heads(),
                config.imageSize(),
                config.channels(),
                config.patchSize()));
        lines.add("");
        lines.add("Input: shorter side resized to " + model.preprocessing().evalResize()
                + " pixels (bicubic), centre crop of "
                + config.imageSize() + ", values in 0 … 1 normalised by mean "
                + model.preprocessing().mean() + " and deviation "
                + model.preprocessing().std() + ".");
        lines.add("");
        lines.add(
                "Features: the mean of the outputs of blocks " + model.layers() + " (from 0), before the final norm.");
        lines.add("");
        lines.add(
                model.probe().isPresent()
                        ? "`head.*` is an attentive probe with "
                                + model.probe().get().classes()
                                + " classes, so that every key that ml-aim expects is here:"
                        : "There is no probe head: ml-aim loads the trunk with `strict=False` and initialises its head.");
        lines.add("");
        lines.add("```python");
        lines.add("from aim.v1.torch.models import AIMForImageClassification");
        lines.add("model = AIMForImageClassification.from_pretrained(\"PATH OF THIS FOLDER\""
                + (model.probe().isPresent() ? ", strict=True)" : ")"));
        lines.add("```");
        if (config.normEps() != ML_AIM_EPS) {
            lines.add("");
            lines.add("Its norms were trained with epsilon " + config.normEps() + ", but ml-aim computes with "
                    + ML_AIM_EPS + ": features differ slightly there.");
        }
        lines.add("");
        return String.join("\n", lines);
    }
}
