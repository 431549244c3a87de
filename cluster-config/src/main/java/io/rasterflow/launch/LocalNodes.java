package io.rasterflow.launch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.IntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trainer processes on this machine. One that dies is started again; all end with the process that started them, however
 * it ends.
 */
public final class LocalNodes implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(LocalNodes.class);
    private static final Duration RESTARTS_PER = Duration.ofMinutes(10);
    private static final long BACK_OFF_MILLIS = 500;
    /** One that says so soon that it cannot go on would say it again. */
    private static final Duration YOUNG = Duration.ofSeconds(20);

    private static final int KILLED = 128;

    private final String join;
    private final Path logs;
    private final int restarts;
    private final IntFunction<Map<String, String>> environment;
    private final BiConsumer<String, String> onLost;
    private final Map<String, Process> processes = new TreeMap<>();
    private boolean closing;

    private LocalNodes(
            String join,
            Path logs,
            int restarts,
            IntFunction<Map<String, String>> environment,
            BiConsumer<String, String> onLost) {
        this.join = join;
        this.logs = logs;
        this.restarts = restarts;
        this.environment = environment;
        this.onLost = onLost;
    }

    /**
     * Starts {@code count} nodes with the role trainer; their output goes to {@code RUN/logs/trainer-N.log}.
     *
     * @param restarts how often in ten minutes each is started again when it dies
     * @param environment of the process of an index from 0, beside this process's own
     * @param onLost is told the node's name and its last line when a process will not be started again
     */
    public static LocalNodes start(
            int count,
            String join,
            Path runDirectory,
            int restarts,
            IntFunction<Map<String, String>> environment,
            BiConsumer<String, String> onLost) {
        try {
            Path logs = Files.createDirectories(runDirectory.resolve("logs"));
            LocalNodes nodes = new LocalNodes(join, logs, restarts, environment, onLost);
            for (int index = 0; index < count; index++) {
                nodes.startOne(index, new ArrayDeque<>());
            }
            return nodes;
        } catch (IOException e) {
            throw new UncheckedIOException("trainer processes cannot be started: " + e.getMessage(), e);
        }
    }

    /** @param deaths when processes of this index died, the last first */
    private synchronized void startOne(int index, Deque<Instant> deaths) throws IOException {
        if (closing) {
            return;
        }
        String name = name(index);
        Path log = logs.resolve(name + ".log");
        ProcessBuilder builder = ChildJvm.of(List.of("node", "--role", "trainer", "--name", name, "--join", join))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(environment.apply(index));
        Instant started = Instant.now();
        Process process = builder.start();
        processes.put(name, process);
        process.onExit()
                .thenAccept(ended -> onExit(index, ended.exitValue(), started, deaths, log))
                .exceptionally(failure -> {
                    LOG.error("{} is not looked after any more", name, failure);
                    return null;
                });
    }

    private static String name(int index) {
        return "trainer-" + (index + 1);
    }

    private void onExit(int index, int exit, Instant started, Deque<Instant> deaths, Path log) {
        if (exit == 0 || isClosing()) {
            return;
        }
        Instant now = Instant.now();
        deaths.addFirst(now);
        deaths.removeIf(death -> death.isBefore(now.minus(RESTARTS_PER)));
        String cause = "its process ended with exit code " + exit + lastLine(log);
        boolean hopeless = exit < KILLED && started.isAfter(now.minus(YOUNG));
        if (hopeless || deaths.size() > restarts) {
            onLost.accept(name(index), cause);
            return;
        }
        LOG.warn("{} is started again: {}", name(index), cause);
        CompletableFuture.delayedExecutor(BACK_OFF_MILLIS << Math.min(5, deaths.size() - 1), TimeUnit.MILLISECONDS)
                .execute(() -> {
                    try {
                        startOne(index, deaths);
                    } catch (IOException e) {
                        onLost.accept(name(index), "it cannot be started again: " + e.getMessage());
                    }
                });
    }

    private synchronized boolean isClosing() {
        return closing;
    }

    /** The processes that are there, by node name. */
    public synchronized Map<String, Process> processes() {
        return new TreeMap<>(processes);
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
        List<Process> running;
        synchronized (this) {
            closing = true;
            running = List.copyOf(processes.values());
        }
        for (Process process : running) {
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
