package io.rasterflow.sweep;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import io.rasterflow.config.ConfigException;
import io.rasterflow.config.Presets;
import io.rasterflow.config.RunConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a sweep file says.
 *
 * <pre>
 * base   = aim-nano                        preset or file; empty for the defaults
 * common = ["train.steps=2000"]            overrides of every run
 * probes = [linear]                        kinds of `rasterflow probe` beside the attentive one of the run itself
 * runs {
 *   default = []
 *   raster  = ["model.objective.order=raster"]
 *   tokens  { overrides = ["model.objective.target=tokens"], codebook = 512 }    centroids made before the run
 * }
 * grid = [                                 more runs: one entry of each object, w32-short, w32-long and so on
 *   { w32 = ["model.trunk.dim=32"], w64 = ["model.trunk.dim=64"] }
 *   { short = ["train.steps=500"], long = ["train.steps=2000"] }
 * ]
 * </pre>
 *
 * @param name of the file, without folder and suffix
 * @param base preset or file
 * @param common overrides of every run
 * @param probes kinds of probe of the last weights
 * @param runs in the order of the file, those of the grid last
 * @param last overrides of every run on top of all others, as given on the command line
 */
public record SweepConfig(
        String name, String base, List<String> common, List<String> probes, List<Entry> runs, List<String> last) {

    private static final Set<String> KEYS = Set.of("base", "common", "probes", "runs", "grid");
    private static final Set<String> ENTRY_KEYS = Set.of("overrides", "codebook");

    /**
     * One run.
     *
     * @param name also of its directory
     * @param overrides on top of the common ones
     * @param codebook centroids to make before it, 0 for none
     */
    public record Entry(String name, List<String> overrides, int codebook) {
        public Entry {
            overrides = List.copyOf(overrides);
            if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
                throw new ConfigException(
                        "a run of a sweep is a directory's name: letters, digits, '-', '_' and '.', but is " + name);
            }
            if (codebook < 0) {
                throw new ConfigException("runs." + name + ".codebook must not be negative but is " + codebook);
            }
        }
    }

    public SweepConfig {
        common = List.copyOf(common);
        probes = List.copyOf(probes);
        runs = List.copyOf(runs);
        last = List.copyOf(last);
        if (runs.isEmpty()) {
            throw new ConfigException(
                    "the sweep " + name + " has no runs; give at least one, such as" + " runs { default = [] }");
        }
    }

    /**
     * Reads a bundled sweep or a file, and checks the configuration of every run, so that a slip in the last one is not found
     * hours later.
     *
     * @param directory of the sweep, where codebooks will lie
     * @param last overrides of every run
     * @throws ConfigException with one line
     */
    public static SweepConfig load(String nameOrFile, Path directory, List<String> last) {
        SweepConfig sweep;
        try {
            sweep = read(nameOrFile, last);
        } catch (com.typesafe.config.ConfigException e) {
            throw new ConfigException("the sweep " + nameOrFile + " cannot be read: " + e.getMessage(), e);
        }
        for (Entry entry : sweep.runs()) {
            try {
                RunConfig.load(sweep.base(), sweep.overrides(entry, directory));
            } catch (ConfigException e) {
                throw new ConfigException(
                        "run " + entry.name() + " of the sweep " + nameOrFile + ": " + e.getMessage(), e);
            }
        }
        return sweep;
    }

    private static SweepConfig read(String nameOrFile, List<String> last) {
        Config config = open(nameOrFile).resolve();
        refuseUnknown(config.root(), KEYS, "the sweep " + nameOrFile);
        List<Entry> entries = new ArrayList<>();
        if (config.hasPath("runs")) {
            entries.addAll(entries(config.getObject("runs")));
        }
        if (config.hasPath("grid")) {
            entries.addAll(SweepGrid.runs(config.getObjectList("grid").stream()
                    .map(SweepConfig::entries)
                    .toList()));
        }
        return new SweepConfig(
                Path.of(nameOrFile).getFileName().toString().replaceFirst("\\.conf$", ""),
                config.hasPath("base") ? config.getString("base") : "",
                config.hasPath("common") ? config.getStringList("common") : List.of(),
                config.hasPath("probes") ? config.getStringList("probes") : List.of("linear"),
                entries,
                last);
    }

    /** In the order of the file, which is in the origins of the values: a HOCON object has no order of its own. */
    private static List<Entry> entries(ConfigObject named) {
        return named.entrySet().stream()
                .sorted(Comparator.comparingInt((Map.Entry<String, ConfigValue> entry) ->
                                entry.getValue().origin().lineNumber())
                        .thenComparing(Map.Entry::getKey))
                .map(entry -> entry(entry.getKey(), entry.getValue()))
                .toList();
    }

    private static Config open(String nameOrFile) {
        if (Presets.SWEEPS.contains(nameOrFile)) {
            return ConfigFactory.parseResources(
                    SweepConfig.class.getClassLoader(),
                    Presets.resource(nameOrFile),
                    ConfigParseOptions.defaults().setAllowMissing(false));
        }
        Path file = Path.of(nameOrFile);
        if (!Files.isRegularFile(file)) {
            throw new ConfigException(nameOrFile + " is neither a bundled sweep (" + String.join(", ", Presets.SWEEPS)
                    + ") nor a file; check the spelling or the path");
        }
        return ConfigFactory.parseFile(file.toFile());
    }

    private static Entry entry(String name, ConfigValue value) {
        if (value.valueType() == ConfigValueType.LIST) {
            return new Entry(name, value.atKey("list").getStringList("list"), 0);
        }
        if (value.valueType() != ConfigValueType.OBJECT) {
            throw new ConfigException("runs." + name + " must be a list of overrides or { overrides, codebook } but is "
                    + value.render());
        }
        ConfigObject object = (ConfigObject) value;
        refuseUnknown(object, ENTRY_KEYS, "runs." + name);
        Config fields = object.toConfig();
        return new Entry(
                name,
                fields.hasPath("overrides") ? fields.getStringList("overrides") : List.of(),
                fields.hasPath("codebook") ? fields.getInt("codebook") : 0);
    }

    private static void refuseUnknown(ConfigObject object, Set<String> known, String where) {
        for (String key : object.keySet()) {
            if (!known.contains(key)) {
                throw new ConfigException(where + " has an unknown key " + ConfigUtil.quoteString(key) + "; there are "
                        + known.stream().sorted().toList());
            }
        }
    }

    /** The common overrides, then the run's own; the later ones win. */
    public List<String> overrides(Entry entry, Path directory) {
        List<String> overrides = new ArrayList<>();
        overrides.add("name=" + ConfigUtil.quoteString(entry.name()));
        overrides.add("monitor.page=false");
        overrides.addAll(common);
        overrides.addAll(entry.overrides());
        overrides.addAll(last);
        if (entry.codebook() > 0) {
            overrides.add("model.objective.vocabulary=" + entry.codebook());
            overrides.add("model.objective.codebook="
                    + ConfigUtil.quoteString(codebook(entry, directory).toString()));
        }
        return overrides;
    }

    /** Where the centroids of a run lie. */
    public static Path codebook(Entry entry, Path directory) {
        return directory.resolve("codebooks").resolve(entry.name() + ".safetensors");
    }
}
