package io.rasterflow.monitoring.report;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A chromium that prints pages.
 *
 * @param program its path
 */
public record Browser(Path program) {

    private static final Logger log = LoggerFactory.getLogger(Browser.class);

    /** What it is called, the first that is there. */
    private static final List<String> NAMES =
            List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome");

    private static final long PATIENCE_SECONDS = 60;

    /** @param path folders of programs, as in the variable {@code PATH} */
    public static Optional<Browser> find(String path) {
        return NAMES.stream()
                .flatMap(name -> Stream.of(path.split(File.pathSeparator))
                        .filter(folder -> !folder.isEmpty())
                        .map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst()
                .map(Browser::new);
    }

    /**
     * Prints a page that runs no script.
     *
     * @throws IOException with one line, if no PDF came of it
     */
    public void print(Path html, Path pdf) throws IOException, InterruptedException {
        Path profile = Files.createTempDirectory("rasterflow-pdf");
        try {
            Path output = profile.resolve("output");
            List<String> command = new ArrayList<>(List.of(
                    program.toString(),
                    "--headless",
                    "--disable-gpu",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--disable-dev-shm-usage",
                    "--no-pdf-header-footer",
                    "--user-data-dir=" + profile.resolve("profile"),
                    "--print-to-pdf=" + pdf.toAbsolutePath()));
            if (System.getProperty("user.name").equals("root")) {
                command.add("--no-sandbox"); // Which root cannot have, and a page without scripts does not need.
            }
            command.add(html.toAbsolutePath().toUri().toString());
            Files.deleteIfExists(pdf);
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                throw new IOException(
                        program + " made no PDF in " + PATIENCE_SECONDS + " s; open " + html + " and print it");
            }
            if (process.exitValue() != 0 || !Files.exists(pdf)) {
                String last = Files.readString(output).lines().reduce("", (a, b) -> b);
                throw new IOException(program + " made no PDF (exit " + process.exitValue() + ": " + last + "); open "
                        + html + " and print it");
            }
        } finally {
            delete(profile);
        }
    }

    /** As far as that goes: a process of the browser may still be leaving. */
    private static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            log.debug("{} stays", folder, e);
        }
    }
}
