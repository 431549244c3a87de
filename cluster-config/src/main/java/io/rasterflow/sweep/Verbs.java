package io.rasterflow.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.launch.ChildJvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Verbs of the command line, each in a process of its own: a run that is killed, or that takes its process with it, leaves the
 * sweep standing, and every run starts from fresh memory. A training ends with the sweep that started it.
 */
final class Verbs implements AutoCloseable {

    private static final String MAIN = "io.rasterflow.cli.Main";
    private static final String TERMINAL = "-Drasterflow.terminal=";
    /** How the command line begins the line that says what went wrong. */
    private static final String COMPLAINT = "rasterflow: ";

    private static final int PATIENCE_SECONDS = 60;

    private volatile Process running;
    private volatile boolean closed;

    /** A verb that ended with another exit code than 0. The message is what it complained of, in one line. */
    static final class FailedException extends Exception {
        private static final long serialVersionUID = 1L;

        FailedException(String message) {
            super(message);
        }
    }

    /**
     * Runs one verb to its end.
     *
     * @param log receives everything that it prints
     * @param onLine is told each line
     * @return the JSON object of its last line
     */
    JsonNode run(List<String> arguments, Path log, Consumer<String> onLine)
            throws IOException, InterruptedException, FailedException {
        if (closed) {
            throw new FailedException("the sweep is being stopped");
        }
        ProcessBuilder builder = new ProcessBuilder(command(arguments))
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment()
                .put(ChildJvm.PARENT_PID, Long.toString(ProcessHandle.current().pid()));
        Process process = builder.start();
        running = process;
        String last = "";
        String complaint = "";
        try (BufferedReader lines =
                        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
                Writer out = Files.newBufferedWriter(log, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                out.write(line + "\n");
                out.flush();
                onLine.accept(line);
                last = line.isBlank() ? last : line;
                complaint = line.startsWith(COMPLAINT) ? line.substring(COMPLAINT.length()) : complaint;
            }
        }
        int exit = process.waitFor();
        running = null;
        if (exit != 0) {
            throw new FailedException(complaint.isEmpty() ? last : complaint);
        }
        return SweepResult.MAPPER.readTree(last);
    }

    private static List<String> command(List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> !flag.startsWith(TERMINAL))
                .forEach(command::add);
        command.add(TERMINAL + "false");
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), MAIN));
        command.addAll(arguments);
        return command;
    }

    /** Asks the running verb to end, which makes a training write a checkpoint, and waits for it. */
    @Override
    public void close() {
        closed = true;
        Process process = running;
        if (process == null) {
            return;
        }
        process.destroy();
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
