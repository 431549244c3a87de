package io.rasterflow.scaling.law;

import io.rasterflow.config.ConfigException;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.monitoring.science.RunPoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The runs that a user named.
 *
 * @param runs those that can be used
 * @param leftOut of a folder of runs, why others cannot, a line each
 */
public record RunSet(List<RunPoint> runs, List<String> leftOut) {

    /**
     * Reads run directories, and of directories that hold no journal the runs in them, as a sweep leaves them.
     *
     * @param completed leaves out runs that were not validated at their last step
     * @throws ConfigException with one line, if a directory that was named is no run, or cannot be used
     */
    public static RunSet read(List<Path> named, boolean completed) throws IOException {
        List<RunPoint> runs = new ArrayList<>();
        List<String> leftOut = new ArrayList<>();
        Set<Path> seen = new LinkedHashSet<>();
        for (Path path : named) {
            if (!Files.isDirectory(path)) {
                throw new ConfigException(path + " is not a directory of a run or of runs; check the path");
            }
            boolean single = Journals.exist(path);
            List<Path> directories = single ? List.of(path) : runsIn(path);
            for (Path directory : directories) {
                if (!seen.add(directory.toRealPath())) {
                    continue;
                }
                try {
                    RunPoint run = RunPoint.read(directory);
                    if (completed && !run.complete()) {
                        leftOut.add(directory + " was last validated at step " + run.step() + " of " + run.steps());
                    } else {
                        runs.add(run);
                    }
                } catch (IllegalArgumentException e) {
                    if (single) {
                        throw new ConfigException(e.getMessage(), e);
                    }
                    leftOut.add(e.getMessage());
                }
            }
        }
        return new RunSet(List.copyOf(runs), List.copyOf(leftOut));
    }

    private static List<Path> runsIn(Path folder) throws IOException {
        List<Path> runs;
        try (Stream<Path> children = Files.list(folder)) {
            runs = children.filter(Journals::exist).sorted().toList();
        }
        if (runs.isEmpty()) {
            throw new ConfigException(
                    folder + " holds neither a journal nor runs that do; give directories of runs, or of a sweep");
        }
        return runs;
    }
}
