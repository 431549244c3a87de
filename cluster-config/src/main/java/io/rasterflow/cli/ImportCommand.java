package io.rasterflow.cli;

import io.rasterflow.config.ConfigException;
import io.rasterflow.config.RunConfig;
import io.rasterflow.launch.RunDirectory;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.TrainingState;
import io.rasterflow.model.checkpoint.WeightsHash;
import io.rasterflow.model.interop.Architecture;
import io.rasterflow.model.interop.ProbeHead;
import io.rasterflow.model.interop.WeightsImport;
import io.rasterflow.model.interop.WeightsSource;
import io.rasterflow.model.program.Engines;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code rasterflow import}: makes a run directory of weights that others trained. */
@Command(
        name = "import",
        description =
                "Makes a run directory of an AIM checkpoint of others: .pth, .safetensors or a Hugging Face folder.",
        footer = "%nNothing that stands in a file is executed. Example: rasterflow import"
                + " aim_600m_2bimgs_attnprobe_backbone.pth --probe-head aim_600m_2bimgs_attnprobe_head_last_layers.pth"
                + " --run runs/aim-600m")
final class ImportCommand implements Callable<Integer> {

    @Parameters(index = "0", paramLabel = "SOURCE", description = "File or folder with the trunk.")
    private Path source;

    @Option(names = "--probe-head", paramLabel = "FILE", description = "File with the attentive probe head, if apart.")
    private Path probeHead;

    @Option(
            names = {"--run", "--out"},
            required = true,
            paramLabel = "DIR",
            description = "Run directory to make.")
    private Path run;

    @Option(
            names = {"-c", "--config"},
            paramLabel = "PRESET|FILE",
            defaultValue = "",
            description = "Bundled preset or HOCON file for all that the weights do not say.")
    private String presetOrFile;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Parameters(
            index = "1..*",
            arity = "0..*",
            paramLabel = "key=value",
            description = "Overrides, such as model.trunk.heads=12 where the weights do not say it.")
    private List<String> overrides = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        Engines.configure(Runtime.getRuntime().availableProcessors());
        WeightsSource weights = WeightsSource.open(probeHead == null ? List.of(source) : List.of(source, probeHead));
        RunConfig.Resolved config = configuration(weights);
        if (Checkpoint.latest(run).isPresent()) {
            throw new ConfigException(run + " already holds a run; give another --run");
        }
        WeightsImport.Imported imported = WeightsImport.run(
                weights.tensors(),
                config.config().model(),
                config.config().train().seed());
        String hash = WeightsHash.sha256(imported.weights());
        Path checkpoint;
        try (RunDirectory directory = RunDirectory.open(run, false, config.text())) {
            checkpoint = Checkpoint.write(
                    directory.path(),
                    new Snapshot(0, imported.weights(), new TreeMap<>(), new TreeMap<>()),
                    new TrainingState(0, 0, 0, config.config().train().seed(), 1, Double.NaN, Double.NaN, hash));
            if (imported.probe().isPresent()) {
                imported.probe().get().write(checkpoint);
            }
        }
        imported.report().forEach(System.out::println);
        System.out.println("written      " + checkpoint);
        if (json) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("run", run.toString());
            fields.put("probeClasses", imported.probe().map(ProbeHead::classes).orElse(0));
            fields.put("weightsSha256", hash);
            System.out.println(Json.line(fields));
        }
        return 0;
    }

    /** What the weights say, below what the user says. */
    private RunConfig.Resolved configuration(WeightsSource weights) throws IOException {
        Set<String> given = overrides.stream()
                .map(override -> override.replaceFirst("=.*", "").strip())
                .collect(Collectors.toSet());
        List<String> all = new ArrayList<>();
        Architecture.settings(weights, given).forEach((key, value) -> all.add(key + "=" + value));
        all.add("name=" + name());
        all.addAll(overrides);
        return RunConfig.load(presetOrFile, all);
    }

    private String name() {
        Path last = run.toAbsolutePath().normalize().getFileName();
        String word = last == null ? "" : last.toString().replaceAll("[^A-Za-z0-9._-]", "-");
        return "\"" + (word.isEmpty() ? "imported" : word) + "\"";
    }
}
