package io.rasterflow.tests;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/** Starts other JVMs with the class path and the flags of this one, to be killed or to share something with. */
public final class Jvm {

    private Jvm() {}

    /**
     * Runs the main method of a class; what it prints is to be read, its errors are thrown away.
     *
     * @param properties {@code -Dname=value}
     */
    public static Process start(List<String> properties, Class<?> main, String... args) throws IOException {
        return new ProcessBuilder(command(properties, main, args))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /** What {@link #start} runs. */
    public static List<String> command(List<String> properties, Class<?> main, String... args) {
        List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java"));
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag ->
                        flag.startsWith("--add-") || flag.startsWith("-XX:+Ignore") || flag.startsWith("-Dchron"))
                .forEach(command::add);
        command.addAll(properties);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(args));
        return command;
    }
}
