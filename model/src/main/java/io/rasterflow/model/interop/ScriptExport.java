package io.rasterflow.model.interop;

import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.Objective;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.embed.Embedder;
import io.rasterflow.model.program.ProgramArchive;
import io.rasterflow.model.program.TensorArchive;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A TorchScript module with the model's weights. Its text is put together from {@code exported.py}, which has the
 * features, {@code exported_probe.py} if there is a probe head, {@code exported_training.py} if the model was trained as
 * in the paper, and the submodules that hold the parameters under their names.
 */
final class ScriptExport {
    private static final String LIBRARY = "exported";
    private static final String INDENT = "    ";

    private ScriptExport() {}

    static void write(Path file, ExportedModel model) throws IOException {
        boolean training = trainable(model.config());
        SortedMap<String, Tensor> tensors = WeightsExport.tensors(model, training);
        List<String> buffers = List.of(ProbeHead.MEAN, ProbeHead.VARIANCE);
        TensorArchive.writeModule(
                file,
                LIBRARY,
                "Exported",
                Map.of(
                        LIBRARY,
                        source(model, tensors, training),
                        "embed",
                        ProgramArchive.source(Embedder.class, "embed.py"),
                        "trunk",
                        ProgramArchive.source(AimConfig.class, "trunk.py")),
                attributes(model, training),
                tensors,
                buffers);
    }

    /** Whether the archive has a training step: for the paper's objective and head. */
    static boolean trainable(AimConfig config) {
        return config.objective().equals(Objective.PAPER) && config.head().kind() == AimConfig.Head.Kind.MLP;
    }

    private static Map<String, Object> attributes(ExportedModel model, boolean training) {
        AimConfig config = model.config();
        Map<String, Object> attributes = new LinkedHashMap<>();
        attributes.put("grid", config.imageSize() / config.patchSize());
        attributes.put("blocks", config.trunk().blocks());
        attributes.put("heads", config.trunk().heads());
        attributes.put("width", config.trunk().dim());
        attributes.put("eps", config.normEps());
        attributes.put("layers", model.layers());
        if (training) {
            attributes.put("head_blocks", config.head().blocks());
            attributes.put("head_width", config.head().dim());
            attributes.put("beta1", model.optimizer().beta1());
            attributes.put("beta2", model.optimizer().beta2());
            attributes.put("adam_eps", model.optimizer().eps());
            attributes.put("weight_decay", model.optimizer().weightDecay());
            attributes.put("clip", model.optimizer().clip());
        }
        return attributes;
    }

    private static String source(ExportedModel model, SortedMap<String, Tensor> tensors, boolean training) {
        StringBuilder fields = new StringBuilder();
        topLevel(tensors.keySet()).forEach(name -> fields.append(INDENT)
                .append(name)
                .append(" : __torch__.")
                .append(LIBRARY)
                .append('.')
                .append(TensorArchive.submoduleType(name))
                .append('\n'));
        if (training) {
            fields.append("    head_blocks : int\n    head_width : int\n    beta1 : float\n    beta2 : float\n")
                    .append("    adam_eps : float\n    weight_decay : float\n    clip : float\n");
        }
        StringBuilder text = new StringBuilder(
                resource("exported.py").replace("    training : bool\n", "    training : bool\n" + fields));
        if (model.probe().isPresent()) {
            text.append(resource("exported_probe.py"));
        }
        if (training) {
            text.append(resource("exported_training.py"));
            text.append(trained(tensors));
        }
        text.append(named(tensors));
        submodules(tensors).forEach((path, children) -> text.append(submodule(path, children)));
        return text.toString();
    }

    private static TreeSet<String> topLevel(Iterable<String> names) {
        TreeSet<String> first = new TreeSet<>();
        names.forEach(name -> first.add(name.substring(0, name.indexOf('.'))));
        return first;
    }

    /** The method that collects the tensors by name. */
    private static String named(SortedMap<String, Tensor> tensors) {
        StringBuilder text = new StringBuilder("    # All tensors by name.\n"
                + "    def named(self) -> Dict[str, Tensor]:\n        p: Dict[str, Tensor] = {}\n");
        for (String name : tensors.keySet()) {
            text.append("        p[\"")
                    .append(name)
                    .append("\"] = ")
                    .append(path(name))
                    .append('\n');
        }
        return text.append("        return p\n\n").toString();
    }

    /** The method that lists what a training step changes: everything but the probe head. */
    private static String trained(SortedMap<String, Tensor> tensors) {
        StringBuilder text = new StringBuilder("    # What a training step changes.\n"
                + "    def trained(self) -> List[Tensor]:\n        w: List[Tensor] = []\n");
        for (String name : tensors.keySet()) {
            if (!ProbeHead.NAMES.contains(name)) {
                text.append("        w.append(").append(path(name)).append(")\n");
            }
        }
        return text.append("        return w\n\n").toString();
    }

    /** {@code trunk.blocks.0.norm_1} as an expression; numbers are no identifiers. */
    private static String path(String name) {
        String expression = "self";
        for (String part : name.split("\\.")) {
            expression = Character.isDigit(part.charAt(0))
                    ? "getattr(" + expression + ", \"" + part + "\")"
                    : expression + "." + part;
        }
        return expression;
    }

    /** Types of the children of every submodule, by its path. */
    private static SortedMap<String, SortedMap<String, String>> submodules(SortedMap<String, Tensor> tensors) {
        SortedMap<String, SortedMap<String, String>> modules = new TreeMap<>();
        for (String name : tensors.keySet()) {
            String child = name;
            String type = "Tensor";
            for (int dot = child.lastIndexOf('.'); dot > 0; dot = child.lastIndexOf('.')) {
                String parent = child.substring(0, dot);
                modules.computeIfAbsent(parent, key -> new TreeMap<>()).put(child.substring(dot + 1), type);
                type = "__torch__." + LIBRARY + "." + TensorArchive.submoduleType(parent);
                child = parent;
            }
        }
        return modules;
    }

    private static String submodule(String path, SortedMap<String, String> children) {
        StringBuilder parameters = new StringBuilder();
        StringBuilder buffers = new StringBuilder();
        StringBuilder fields = new StringBuilder();
        boolean numbered = false;
        for (Map.Entry<String, String> child : children.entrySet()) {
            String name = child.getKey();
            if (child.getValue().equals("Tensor")) {
                boolean buffer = path.equals("head.bn");
                (buffer ? buffers : parameters).append('"').append(name).append("\", ");
            }
            if (Character.isDigit(name.charAt(0))) {
                fields.append(numbered ? "" : INDENT + "__annotations__ = []\n");
                fields.append(INDENT).append("__annotations__[\"").append(name).append("\"] = ");
                numbered = true;
            } else {
                fields.append(INDENT).append(name).append(" : ");
            }
            fields.append(child.getValue()).append('\n');
        }
        return "class " + TensorArchive.submoduleType(path) + "(Module):\n"
                + "    __parameters__ = [" + parameters + "]\n"
                + "    __buffers__ = [" + buffers + "]\n"
                + "    training : bool\n"
                + fields + "\n";
    }

    private static String resource(String name) {
        return ProgramArchive.source(ScriptExport.class, name);
    }
}
