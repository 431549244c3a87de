package io.rasterflow.tests.exchange;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.exchange.ExchangeConfig;
import io.rasterflow.actors.exchange.Generation;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Rank 1 of two in a JVM of its own, which can be stopped and killed. It ends with its standard input. */
final class PeerProcess implements AutoCloseable {

    static final ExchangeConfig CONFIG = new ExchangeConfig(
            ExchangeConfig.Transport.AUTO, ExchangeConfig.Wire.FP32, 64, 4096, 8192, 100, 600, 20_000);

    private final Process process;
    final DataAddress address;

    /** Starts it; it joins generation 1 with {@code other} as rank 0 and 10 floats. */
    PeerProcess(DataAddress other) throws IOException {
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        PeerProcess.class.getName(),
                        other.processId(),
                        Integer.toString(other.port()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String[] words = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
                .lines()
                .filter(line -> line.startsWith("here "))
                .findFirst()
                .orElseThrow()
                .split(" ");
        address = new DataAddress(words[1], "127.0.0.1", Integer.parseInt(words[2]), 0);
    }

    public static void main(String[] args) throws Exception {
        DataAddress other = new DataAddress(args[0], "127.0.0.1", Integer.parseInt(args[1]), 0);
        try (DataPlane plane = DataPlane.bind(World.address(World.SECRET), CONFIG)) {
            DataAddress self = plane.address(0);
            System.out.println("here " + self.processId() + " " + self.port());
            plane.join(new Generation(1, List.of(other, self), 2), 1, List.of(10))
                    .toCompletableFuture()
                    .get(20, TimeUnit.SECONDS);
            while (System.in.read() >= 0) {
                System.out.println("still here");
            }
        }
    }

    void signal(String name) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        if (kill.waitFor() != 0) {
            throw new IllegalStateException("kill -" + name + " failed");
        }
    }

    void awaitEnd() throws InterruptedException {
        process.waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
