package io.rasterflow.cli;

import io.rasterflow.config.ConfigException;
import io.rasterflow.config.RunConfig;
import io.rasterflow.model.checkpoint.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What {@code --run} and {@code --step} name. */
final class Checkpoints {

    private Checkpoints() {}

    /** @param step null for the latest */
    static Path find(Path run, Long step) throws IOException {
        if (step == null) {
            return Checkpoint.latest(run).orElseThrow(() -> new ConfigException(run + " holds no checkpoint"));
        }
        Path directory = Checkpoint.directory(run, step);
        if (!Files.isDirectory(directory)) {
            throw new ConfigException("there is no checkpoint of step " + step + " in " + run);
        }
        return directory;
    }

    /** The configuration of a run with overrides. */
    static RunConfig config(Path run, List<String> overrides) {
        Path config = run.resolve("config.conf");
        if (!Files.isRegularFile(config)) {
            throw new ConfigException(run + " is not a run directory: it has no config.conf");
        }
        return RunConfig.load(config.toString(), overrides).config();
    }
}
