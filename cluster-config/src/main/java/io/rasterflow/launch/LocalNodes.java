package io.rasterflow.launch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.IntFunction;

/** Trainer processes on this machine. They end with the process that started them, however it ends. */
public final class LocalNodes implements AutoCloseable {

    private final List<Process> processes = new ArrayList<>();

    /**
     * Starts {@code count} nodes with the role trainer; their output goes to {@code RUN/logs/trainer-N.log}.
     *
     * @param environment of the process of an index from 0, beside this process's own
     * @param onExit is told the node's name and its last line when a process ends with an error
     */
    public static LocalNodes start(
            int count,
            String join,
            Path runDirectory,
            IntFunction<Map<String, String>> environment,
            BiConsumer<String, String> onExit) {
        LocalNodes nodes = new LocalNodes();
        try {
            Path logs = Files.createDirectories(runDirectory.resolve("logs"));
            for (int i = 1; i <= count; i++) {
                nodes.startOne("trainer-" + i, join, logs, environment.apply(i - 1), onExit);
            }
            return nodes;
        } catch (IOException e) {
            nodes.close();
            throw new UncheckedIOException("trainer processes cannot be started: " + e.getMessage(), e);
        }
    }

    private void startOne(
            String name, String join, Path logs, Map<String, String> environment, BiConsumer<String, String> onExit)
            throws IOException {
        Path log = logs.resolve(name + ".log");
        ProcessBuilder builder = ChildJvm.of(List.of("node", "--role", "trainer", "--name", name, "--join", join))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(environment);
        Process process = builder.start();
        processes.add(process);
        process.onExit()
                .thenAccept(ended -> {
                    if (ended.exitValue() != 0) {
                        onExit.accept(name, "its process ended with exit code " + ended.exitValue() + lastLine(log));
                    }
                })
                .exceptionally(failure -> null);
    }

    private static String lastLine(Path log) {
        try {
            List<String> lines = Files.readAllLines(log);
            return lines.isEmpty() ? "" : ": " + lines.get(lines.size() - 1);
        } catch (IOException e) {
            return "";
        }
    }

    /** Gives the processes a few seconds to end by themselves, then ends them. */
    @Override
    public void close() {
        for (Process process : processes) {
            try {
                if (!process.waitFor(10, TimeUnit.SECONDS)) {
                    process.destroy();
                    if (!process.waitFor(3, TimeUnit.SECONDS)) {
                        process.destroyForcibly();
                    }
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
