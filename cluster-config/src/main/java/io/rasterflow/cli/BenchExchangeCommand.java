package io.rasterflow.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.actors.exchange.ExchangeConfig;
import io.rasterflow.launch.RankProcesses;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench exchange}: the gradient exchange between processes of this machine. */
@Command(
        name = "exchange",
        description = "Times the all-reduce of a gradient between processes of this machine: the median over the rounds"
                + " of the slowest rank's seconds.")
final class BenchExchangeCommand implements Callable<Integer> {

    private static final int MAX_WORLD = 64;
    private static final double MAX_MEGABYTES = 65_536;
    /** Float32 bytes that each rank reduces before measuring, so that all code is compiled. */
    private static final double WARM_UP_BYTES = 8e9;

    /** Float32 bytes that each rank reduces in all measured rounds, unless that makes too few or too many of them. */
    private static final double MEASURED_BYTES = 2e9;

    @Option(names = "--world", required = true, description = "Ranks, one JVM each: 2 to " + MAX_WORLD + ".")
    private int world;

    @Option(names = "--megabytes", required = true, description = "Size of the gradient, in 10^6 bytes of float32.")
    private double megabytes;

    @Option(names = "--transport", defaultValue = "auto", description = "tcp, shm or auto (${DEFAULT-VALUE}).")
    private ExchangeConfig.Transport transport;

    @Option(names = "--wire", defaultValue = "fp32", description = "fp32 or bf16, over sockets (${DEFAULT-VALUE}).")
    private ExchangeConfig.Wire wire;

    @Option(names = "--rounds", defaultValue = "0", description = "Measured rounds; 0: as many as the size asks for.")
    private int rounds;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        require(world >= 2 && world <= MAX_WORLD, "--world must be between 2 and " + MAX_WORLD + " but is " + world);
        require(
                megabytes >= 4e-6 && megabytes <= MAX_MEGABYTES,
                "--megabytes must be between 0.000004 (one float) and " + MAX_MEGABYTES + " but is " + megabytes);
        require(rounds >= 0 && rounds <= 1_000_000, "--rounds must be between 0 and 1000000 but is " + rounds);
        long floats = Math.round(megabytes * 1e6 / Float.BYTES);
        double[] slowest = slowest(new BenchRankCommand.Task(
                secret(),
                transport,
                wire,
                floats,
                between(10, 2000, WARM_UP_BYTES, floats),
                rounds > 0 ? rounds : between(12, 400, MEASURED_BYTES, floats)));
        print(floats * Float.BYTES, slowest);
        return 0;
    }

    private void require(boolean condition, String message) {
        if (!condition) {
            throw new CommandLine.ParameterException(spec.commandLine(), message);
        }
    }

    private static int between(int least, int most, double bytes, long floats) {
        return (int) Math.max(least, Math.min(most, bytes / (floats * Float.BYTES)));
    }

    private static String secret() {
        byte[] random = new byte[32];
        new SecureRandom().nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    /** Runs all ranks; the seconds of the slowest one for every round. */
    private double[] slowest(BenchRankCommand.Task task) throws IOException, InterruptedException {
        try (RankProcesses ranks = RankProcesses.start(world, List.of("bench", "rank"))) {
            List<JsonNode> addresses = new ArrayList<>();
            for (int rank = 0; rank < world; rank++) {
                ranks.tell(rank, task);
            }
            for (int rank = 0; rank < world; rank++) {
                addresses.add(ranks.hear(rank));
            }
            for (int rank = 0; rank < world; rank++) {
                ranks.tell(rank, new BenchRankCommand.Seat(rank, addresses));
            }
            double[] slowest = new double[task.rounds()];
            for (int rank = 0; rank < world; rank++) {
                JsonNode seconds = ranks.hear(rank);
                for (int round = 0; round < slowest.length; round++) {
                    slowest[round] = Math.max(slowest[round], seconds.get(round).asDouble());
                }
            }
            return slowest;
        }
    }

    private void print(long bytes, double[] seconds) {
        double[] sorted = seconds.clone();
        Arrays.sort(sorted);
        double median = (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
        double bus = 2.0 * (world - 1) / world * bytes / median;
        System.out.printf(
                Locale.ROOT,
                "%d ranks, %.3f MB: %.3f ms (%.3f to %.3f in %d rounds), bus %.2f GB/s%n",
                world,
                bytes / 1e6,
                median * 1e3,
                sorted[0] * 1e3,
                sorted[sorted.length - 1] * 1e3,
                sorted.length,
                bus / 1e9);
        if (json) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("medianSeconds", median);
            fields.put("busBytesPerSecond", bus);
            fields.put("worldSize", world);
            fields.put("bytes", bytes);
            fields.put("minSeconds", sorted[0]);
            fields.put("maxSeconds", sorted[sorted.length - 1]);
            fields.put("rounds", sorted.length);
            fields.put("transport", transport.name().toLowerCase(Locale.ROOT));
            fields.put("wire", wire.name().toLowerCase(Locale.ROOT));
            System.out.println(Json.line(fields));
        }
    }
}
