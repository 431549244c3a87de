package io.rasterflow.launch;

import io.rasterflow.config.ConfigException;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.Objective;
import io.rasterflow.model.codebook.Codebook;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/**
 * The codebook that lies in a run's directory: tokens mean nothing without it, so a run keeps the one that it began with.
 */
public final class RunCodebook {

    private static final String FILE = "codebook.safetensors";

    private RunCodebook() {}

    /**
     * Where the run's own codebook is or will be; empty where the target is pixels.
     *
     * @throws ConfigException if the model cannot use the codebook, in one line
     */
    public static Optional<Path> of(AimConfig model, Path runDirectory) {
        if (model.objective().target() != Objective.Target.TOKENS) {
            return Optional.empty();
        }
        Path own = runDirectory.resolve(FILE);
        Path source = Files.exists(own) ? own : Path.of(model.objective().codebook());
        try {
            Codebook.read(
                    source,
                    model.patchSize(),
                    model.channels(),
                    model.objective().vocabulary());
        } catch (IOException | IllegalArgumentException e) {
            throw new ConfigException(e.getMessage(), e);
        }
        return Optional.of(own);
    }

    /** Copies the codebook into the directory of a new run; one that is there stays. */
    public static void keep(Path source, Path own) {
        if (Files.exists(own)) {
            return;
        }
        try {
            Path partial = own.resolveSibling(FILE + ".part");
            Files.copy(source, partial, StandardCopyOption.REPLACE_EXISTING);
            Files.move(partial, own, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("the codebook " + source + " cannot be copied to " + own + ": " + e, e);
        }
    }
}
