package io.rasterflow.launch;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/** The command line in a process of its own: this JVM's binary, flags and class path. */
public final class ChildJvm {

    /** Environment variable by which a child knows whom to follow into the grave. */
    public static final String PARENT_PID = "RASTERFLOW_PARENT_PID";

    private ChildJvm() {}

    /** A process that runs a verb and, if that calls {@link #followParent}, ends with this one, however it ends. */
    static ProcessBuilder of(List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "io.rasterflow.cli.Main"));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment()
                .put(PARENT_PID, Long.toString(ProcessHandle.current().pid()));
        return builder;
    }

    /** In a child: ends this JVM when the parent is gone, and leaves Ctrl-C in the terminal to the parent. */
    public static void followParent() {
        String pid = System.getenv(PARENT_PID);
        if (pid == null) {
            return;
        }
        sun.misc.Signal.handle(new sun.misc.Signal("INT"), sun.misc.SignalHandler.SIG_IGN);
        ProcessHandle.of(Long.parseLong(pid))
                .ifPresentOrElse(
                        parent -> parent.onExit()
                                .thenRun(() -> Runtime.getRuntime().halt(1))
                                .exceptionally(failure -> null),
                        () -> Runtime.getRuntime().halt(1));
    }
}
