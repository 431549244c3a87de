package io.rasterflow.tests.endtoend;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The tests start many short-lived JVMs, which spend most of their time on loading classes and compiling them. The
 * JVM's archive of loaded classes (AppCDS), made once by a small run, and its first compiler alone halve that. On a newer JDK
 * than the lowest only a few tests run, for which it is not worth making.
 */
final class QuickStart {

    /** For RASTERFLOW_JAVA_OPTS. A JVM that cannot use the archive says nothing and goes without. */
    static final String OPTIONS = "-XX:TieredStopAtLevel=1"
            + (Runtime.version().feature() == 17 ? " -Xlog:cds*=off -XX:SharedArchiveFile=" + archive() : "");

    private QuickStart() {}

    private static Path archive() {
        try {
            Path archive =
                    Rasterflow.HOME.resolve("tests/target/classes-" + System.getProperty("java.vm.version") + ".jsa");
            try (FileChannel channel = FileChannel.open(
                    archive.resolveSibling("classes.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                channel.lock(); // Tests run in several JVMs. Closing lets the next one in.
                if (!Files.exists(archive) || isOutdated(archive)) {
                    Files.deleteIfExists(archive);
                    make(archive);
                }
            }
            return archive;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static boolean isOutdated(Path archive) throws IOException {
        try (Stream<Path> jars = Files.list(Rasterflow.HOME.resolve("cluster-config/target/lib"))) {
            return jars.anyMatch(
                    jar -> jar.toFile().lastModified() > archive.toFile().lastModified());
        }
    }

    private static void make(Path archive) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory(archive.getParent(), "quick-start");
        ProcessBuilder builder = new ProcessBuilder(Rasterflow.words(
                        Rasterflow.HOME.resolve("rasterflow"),
                        "train",
                        "--run",
                        directory.resolve("run"),
                        Rasterflow.SMALL,
                        "train.steps=8",
                        "probe.everySteps=8",
                        "probe.trainImages=100",
                        "cluster.replicas=1"))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("RASTERFLOW_JAVA_OPTS", "-Xlog:cds*=off -XX:ArchiveClassesAtExit=" + archive);
        int exit = builder.start().waitFor();
        if (exit != 0) {
            throw new IllegalStateException("the run that fills " + archive + " ended with exit code " + exit);
        }
        try (Stream<Path> files = Files.walk(directory)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) {
                Files.delete(file);
            }
        }
    }
}
