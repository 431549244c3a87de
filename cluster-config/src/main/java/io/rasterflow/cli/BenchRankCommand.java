package io.rasterflow.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.actors.bench.ExchangeBenchmark;
import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.exchange.DataPlaneConfig;
import io.rasterflow.actors.exchange.ExchangeConfig;
import io.rasterflow.launch.ChildJvm;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/**
 * One rank of {@code bench exchange}, which starts it. Lines of JSON over standard input and output:
 *
 * <pre>
 *   in   {@link Task}
 *   out  the address of this process's data plane
 *   in   {@link Seat}
 *   out  seconds of every round
 * </pre>
 */
@Command(name = "rank", hidden = true, description = "One rank of bench exchange; started by it.")
final class BenchRankCommand implements Callable<Integer> {

    private static final String LOOPBACK = "127.0.0.1";

    /** What to do; the same for all ranks. */
    record Task(
            String secret,
            ExchangeConfig.Transport transport,
            ExchangeConfig.Wire wire,
            long floats,
            int warmUp,
            int rounds) {}

    /** Which rank this is, and everybody's addresses in rank order. */
    record Seat(int rank, List<JsonNode> members) {}

    private final ObjectMapper mapper = new ObjectMapper();
    private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    @Override
    public Integer call() throws IOException {
        ChildJvm.followParent();
        Task task = hear(Task.class);
        ExchangeConfig exchanges = ExchangeConfig.DEFAULT.with(task.transport()).with(task.wire());
        try (DataPlane plane = DataPlane.bind(new DataPlaneConfig(LOOPBACK, 0, task.secret()), exchanges)) {
            tell(plane.address(0));
            Seat seat = hear(Seat.class);
            List<DataAddress> members = new ArrayList<>();
            for (JsonNode member : seat.members()) {
                members.add(mapper.treeToValue(member, DataAddress.class));
            }
            tell(new ExchangeBenchmark(task.floats(), task.warmUp(), task.rounds()).run(plane, members, seat.rank()));
        }
        return 0;
    }

    private <T> T hear(Class<T> type) throws IOException {
        String line = in.readLine();
        if (line == null) {
            throw new EOFException("standard input ended; this verb is started by bench exchange");
        }
        return mapper.readValue(line, type);
    }

    private void tell(Object answer) throws IOException {
        System.out.println(mapper.writeValueAsString(answer));
        System.out.flush();
    }
}
