package io.rasterflow.cli;

import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.embed.Features;
import io.rasterflow.model.interop.ExportedModel;
import io.rasterflow.model.interop.ProbeHead;
import io.rasterflow.model.interop.WeightsExport;
import io.rasterflow.streams.augment.AugmentConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rasterflow export}: weights in formats that others read. */
@Command(
        name = "export",
        description = "Writes a checkpoint's weights for others, under the names of ml-aim.",
        footer = "%npth and safetensors: a state dict. huggingface: a folder with config.json and a model card."
                + " torchscript: a module with its weights for torch.jit.load, with features and training step.")
final class ExportCommand implements Callable<Integer> {

    @Option(names = "--run", required = true, paramLabel = "DIR", description = "Run directory.")
    private Path run;

    @Option(names = "--step", description = "Checkpoint; default: the latest.")
    private Long step;

    @Option(names = "--format", required = true, description = "${COMPLETION-CANDIDATES}.")
    private WeightsExport.Format format;

    @Option(names = "--out", required = true, paramLabel = "PATH", description = "File or folder to write.")
    private Path out;

    @Option(
            names = "--pixel-head",
            description = "Adds the head of the pre-training, which ml-aim does not know (torchscript always has it).")
    private boolean pixelHead;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Path checkpoint = Checkpoints.find(run, step);
        RunPlan plan = Checkpoints.config(run, List.of()).plan(run, false);
        AugmentConfig augment = plan.data().augment();
        Optional<ProbeHead> probe = ProbeHead.of(checkpoint);
        ExportedModel model = new ExportedModel(
                plan.model(),
                plan.optimizer(),
                Checkpoint.read(checkpoint).snapshot().weights(),
                probe,
                layers(plan),
                new ExportedModel.Preprocessing(augment.evalResize(), augment.mean(), augment.std()),
                "run " + plan.name() + ", step " + Checkpoint.step(checkpoint));
        WeightsExport.write(format, out, model, pixelHead);
        int tensors = WeightsExport.tensors(model, pixelHead).size();
        System.out.println("written  " + out + ": " + model.origin());
        System.out.println(
                probe.isPresent()
                        ? "probe    attentive head with " + probe.get().classes() + " classes: ml-aim loads it strict"
                        : "probe    none in this checkpoint: ml-aim loads the trunk with load_head=False");
        if (json) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("out", out.toString());
            fields.put("step", Checkpoint.step(checkpoint));
            fields.put("tensors", tensors);
            System.out.println(Json.line(fields));
        }
        return 0;
    }

    /** Those that the run's probe reads; of a probe of each block in turn, the last six. */
    private static List<Integer> layers(RunPlan plan) {
        String layers =
                plan.probe().layers().equals("each") ? "last6" : plan.probe().layers();
        return Features.parse(layers, Features.Pool.NONE, plan.model().trunk()).layers();
    }
}
