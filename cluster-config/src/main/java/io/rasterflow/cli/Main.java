package io.rasterflow.cli;

import io.rasterflow.actors.Failures;
import io.rasterflow.config.ConfigException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** Entry point of {@code ./rasterflow}. Exit 0 done, 1 failed, 2 wrong usage. */
@Command(
        name = "rasterflow",
        description = "Pre-trains autoregressive image models on streams of images.",
        version = "rasterflow " + Main.VERSION,
        subcommands = {
            TrainCommand.class,
            NodeCommand.class,
            ProbeCommand.class,
            FineTuneCommand.class,
            ParityCommand.class,
            DataCommand.class,
            FeedCommand.class,
            BenchCommand.class,
            CodebookCommand.class,
            SweepCommand.class,
            ScalingCommand.class,
            ModelCommand.class,
            PlanCommand.class,
            ReportCommand.class,
            TopCommand.class,
            MetricsCommand.class,
            AuditCommand.class,
            ReplayCommand.class,
            RollbackCommand.class,
            ImportCommand.class,
            ExportCommand.class,
            EmbedCommand.class,
            DoctorCommand.class
        },
        synopsisSubcommandLabel = "VERB",
        commandListHeading = "%nVerbs:%n",
        footer =
                "%n`rasterflow VERB --help` explains a verb. Started without options, `rasterflow train` pre-trains a small"
                        + " model on the bundled images.")
public final class Main implements Runnable {

    static final String VERSION = "0.1.0";

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Shows this help.")
    private boolean help;

    @Option(names = "--version", versionHelp = true, description = "Shows the version.")
    private boolean version;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Shows stack traces and detailed logs.")
    void setDebug(boolean debug) {
        if (debug) {
            System.setProperty("rasterflow.debug", "true");
            System.setProperty("rasterflow.log", "DEBUG");
            System.setProperty("rasterflow.log.root", "INFO");
        }
    }

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    public static void main(String[] args) {
        int exit = run(System.out, System.err, args);
        System.out.flush();
        System.exit(exit);
    }

    /** Runs one command line and returns its exit code. */
    public static int run(PrintStream out, PrintStream err, String... args) {
        CommandLine commandLine = new CommandLine(new Main())
                .setOut(new PrintWriter(out, true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(err, true, StandardCharsets.UTF_8))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler((failure, arguments) -> {
                    err.println("rasterflow: " + firstLine(failure.getMessage()));
                    CommandLine.UnmatchedArgumentException.printSuggestions(
                            failure, failure.getCommandLine().getErr());
                    err.println(
                            "try: " + failure.getCommandLine().getCommandSpec().qualifiedName() + " --help");
                    return CommandLine.ExitCode.USAGE;
                })
                .setExecutionExceptionHandler((failure, command, result) -> report(err, failure));
        try {
            return commandLine.execute(args);
        } catch (OutOfMemoryError e) {
            err.println("rasterflow: the JVM's memory does not suffice: " + e.getMessage()
                    + "; give it more, such as RASTERFLOW_JAVA_OPTS=-Xmx8g, or reduce the batch");
            if (Boolean.getBoolean("rasterflow.debug")) {
                e.printStackTrace(err);
            }
            return CommandLine.ExitCode.SOFTWARE;
        }
    }

    private static int report(PrintStream err, Exception failure) {
        err.println("rasterflow: " + describe(failure));
        if (Boolean.getBoolean("rasterflow.debug")) {
            failure.printStackTrace(err);
        }
        return failure instanceof ConfigException ? CommandLine.ExitCode.USAGE : CommandLine.ExitCode.SOFTWARE;
    }

    /** One line for a person; file-system exceptions say only a path, so the kind of trouble is added. */
    private static String describe(Exception failure) {
        if (failure instanceof NoSuchFileException) {
            return failure.getMessage() + " does not exist; check the path";
        }
        if (failure instanceof FileSystemException && failure.getMessage() != null) {
            return Failures.oneLine(failure) + " (" + failure.getClass().getSimpleName() + ")";
        }
        if (failure instanceof IOException || failure instanceof RuntimeException) {
            return Failures.oneLine(failure);
        }
        return failure.toString();
    }

    private static String firstLine(String message) {
        return message.lines().findFirst().orElse(message);
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "a verb is missing");
    }
}
