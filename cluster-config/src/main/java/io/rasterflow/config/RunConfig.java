package io.rasterflow.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException.Parse;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValueFactory;
import io.rasterflow.actors.exchange.ExchangeConfig;
import io.rasterflow.actors.run.DataPlan;
import io.rasterflow.actors.run.PagePlan;
import io.rasterflow.actors.run.ProbePlan;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.actors.run.TrainPlan;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.finetune.FineTuneConfig;
import io.rasterflow.model.optimizer.OptimizerConfig;
import io.rasterflow.monitoring.export.ExportKind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** The whole configuration of a run: defaults, then a preset or file, then {@code key=value} overrides. */
public record RunConfig(
        String name,
        AimConfig model,
        OptimizerConfig optimizer,
        TrainPlan train,
        DataPlan data,
        ProbePlan probe,
        FineTuneConfig finetune,
        ExchangeConfig exchange,
        ClusterConfig cluster,
        MonitorConfig monitor) {

    private static final String DEFAULTS = Presets.resource(Presets.DEFAULTS);
    private static final Pattern ADDRESS = Pattern.compile("[a-z][a-z0-9+.-]*://\\S+");

    /** A configuration and the text that it was read from. */
    public record Resolved(RunConfig config, String text) {}

    /**
     * @param presetOrFile name of a bundled preset or path of a HOCON file; empty for the defaults alone
     * @param overrides {@code key=value}
     * @throws ConfigException with one line
     */
    public static Resolved load(String presetOrFile, List<String> overrides) {
        try {
            Config layers = overrides(overrides);
            if (!presetOrFile.isEmpty()) {
                layers = layers.withFallback(named(presetOrFile));
            }
            layers = layers.withFallback(ConfigFactory.parseResources(
                    RunConfig.class.getClassLoader(),
                    DEFAULTS,
                    ConfigParseOptions.defaults().setAllowMissing(false)));
            Config resolved = layers.resolveWith(environment().withFallback(layers));
            RecordMapper.refuseUnknown(resolved, RecordMapper.paths(RunConfig.class));
            RunConfig config = RecordMapper.read(resolved, RunConfig.class);
            return new Resolved(
                    config,
                    resolved.root()
                            .render(ConfigRenderOptions.defaults()
                                    .setOriginComments(false)
                                    .setJson(false)));
        } catch (Parse e) {
            throw new ConfigException("the configuration cannot be read: " + e.getMessage(), e);
        }
    }

    /** What presets may refer to: the checkout and the user's cache. */
    private static Config environment() {
        String home = System.getProperty("rasterflow.home", System.getProperty("user.dir"));
        String cache = System.getenv().getOrDefault("XDG_CACHE_HOME", System.getProperty("user.home") + "/.cache");
        return ConfigFactory.parseMap(Map.of("home", home, "userCache", cache + "/rasterflow"));
    }

    private static Config named(String presetOrFile) {
        if (presetOrFile.equals(Presets.DEFAULTS)) {
            return ConfigFactory.empty(); // They are below every preset anyway.
        }
        if (Presets.NAMES.contains(presetOrFile)) {
            return ConfigFactory.parseResources(
                    RunConfig.class.getClassLoader(),
                    Presets.resource(presetOrFile),
                    ConfigParseOptions.defaults().setAllowMissing(false));
        }
        Path file = Path.of(presetOrFile);
        if (!Files.isRegularFile(file)) {
            throw new ConfigException("-c " + presetOrFile + " is neither a bundled preset ("
                    + String.join(", ", Presets.NAMES) + ") nor a file; check the spelling or the path");
        }
        return ConfigFactory.parseFile(file.toFile());
    }

    private static Config overrides(List<String> overrides) {
        Config config = ConfigFactory.empty();
        for (String override : overrides) {
            int equals = override.indexOf('=');
            if (equals < 1) {
                throw new ConfigException(override + " is not of the form key=value");
            }
            config = override(
                            override.substring(0, equals).strip(),
                            override.substring(equals + 1).strip())
                    .withFallback(config);
        }
        return config;
    }

    private static Config override(String key, String value) {
        if (ADDRESS.matcher(value).matches()) {
            return plain(key, value); // In HOCON a comment begins at its //.
        }
        try {
            return ConfigFactory.parseString(key + " = " + value);
        } catch (com.typesafe.config.ConfigException notHocon) {
            // Shard patterns such as train-{00..09}.tar.gz are plain text.
            return plain(key, value);
        }
    }

    private static Config plain(String key, String value) {
        return ConfigFactory.empty().withValue(key, ConfigValueFactory.fromAnyRef(value));
    }

    /** What the coordinator hands to every node. */
    public RunPlan plan(Path runDirectory, boolean resume) {
        return plan(runDirectory, resume, Optional.empty());
    }

    /** The same, begun from a checkpoint of another run if one is given. */
    public RunPlan plan(Path runDirectory, boolean resume, Optional<Path> origin) {
        int replicas = cluster.resolvedReplicas(train.device());
        return new RunPlan(
                name,
                runDirectory.toAbsolutePath().toString(),
                resume,
                origin.map(checkpoint -> checkpoint.toAbsolutePath().toString()).orElse(""),
                cluster.nodes() * replicas,
                cluster.minNodes(),
                replicas,
                model,
                optimizer,
                train,
                data,
                probe,
                exchange,
                monitor.images(),
                monitor.journal(),
                monitor.price(),
                monitor.alarms(),
                monitor.exports().stream().map(ExportKind::of).toList(),
                new PagePlan(
                        monitor.page(),
                        monitor.host(),
                        monitor.port(),
                        monitor.compare().stream()
                                .map(run -> Path.of(run).toAbsolutePath().toString())
                                .toList()));
    }
}
