package io.rasterflow.actors.coordinator;

import io.rasterflow.actors.membership.GenerationNumbers;
import io.rasterflow.streams.storage.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** The highest number of a generation that a run has had, in {@code RUN/generation}: numbers only rise, also over restarts. */
final class GenerationFile implements GenerationNumbers {

    private final Path file;
    private final long highest;

    /**
     * @param takesOver whether trainers may be at work in a generation that another coordinator formed
     * @throws UncheckedIOException one line, if the file cannot be read
     */
    GenerationFile(Path runDirectory, boolean takesOver) {
        this.file = runDirectory.resolve("generation");
        this.highest = takesOver ? read() : 0;
    }

    @Override
    public long highest() {
        return highest;
    }

    /** Written down before it is used. */
    @Override
    public long next(long known) {
        long number = Math.max(known, read()) + 1;
        try {
            AtomicFile.write(file, out -> out.write(Long.toString(number).getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
        return number;
    }

    private long read() {
        try {
            return Long.parseLong(Files.readString(file).strip());
        } catch (NoSuchFileException none) {
            return 0;
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be read: " + e.getMessage(), e);
        } catch (NumberFormatException e) {
            String advice =
                    file + " does not hold the number of a generation; restore it, or delete it if no other node"
                            + " uses this run directory";
            throw new UncheckedIOException(advice, new IOException(advice, e));
        }
    }
}
