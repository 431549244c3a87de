package io.rasterflow.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code rasterflow bench}: measures parts of the system on this machine. */
@Command(
        name = "bench",
        description = "Measures parts of the system on this machine.",
        subcommands = {
            BenchStepCommand.class,
            BenchInputCommand.class,
            BenchExchangeCommand.class,
            BenchRecoveryCommand.class,
            BenchMonitorCommand.class,
            BenchRankCommand.class
        })
final class BenchCommand implements Runnable {

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(), "say what to measure: step, input, exchange, recovery or monitor");
    }
}
