package io.rasterflow.cli;

import io.rasterflow.config.RunConfig;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code -c} and {@code key=value}, the same on every verb that reads a configuration. */
final class ConfigOptions {

    @Option(
            names = {"-c", "--config"},
            paramLabel = "PRESET|FILE",
            defaultValue = "",
            description = "Bundled preset or HOCON file; the defaults fill what it leaves out.")
    String presetOrFile;

    @Parameters(
            arity = "0..*",
            paramLabel = "key=value",
            description = "Overrides any configuration entry by its path, such as train.steps=500.")
    List<String> overrides = new ArrayList<>();

    RunConfig.Resolved load() {
        return RunConfig.load(presetOrFile, overrides);
    }
}
