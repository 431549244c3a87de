package io.rasterflow.cli;

import io.rasterflow.actors.Failures;
import io.rasterflow.config.RunConfig;
import io.rasterflow.config.Secret;
import io.rasterflow.model.program.Engines;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code rasterflow doctor}: is this machine fit to train? */
@Command(name = "doctor", description = "Checks JDK, native libraries, data, ports, secret and disk.")
final class DoctorCommand implements Callable<Integer> {

    private static final long ENOUGH_BYTES = 2L << 30;

    private boolean healthy = true;

    @Override
    public Integer call() {
        RunConfig config = RunConfig.load("", List.of()).config();
        check("JDK", () -> System.getProperty("java.vendor") + " " + System.getProperty("java.version"));
        check(
                "memory",
                () -> (Runtime.getRuntime().maxMemory() >> 20) + " MiB heap, "
                        + Runtime.getRuntime().availableProcessors() + " cores");
        check("PyTorch", Engines::describe);
        check("devices", Engines::describeDevices);
        check("bundled images", () -> {
            try (DataSet train = config.data().openTrain();
                    DataSet validation = config.data().openValidation()) {
                return train.size() + " for training, " + validation.size() + " for validation";
            }
        });
        check("page port", () -> {
            int port = config.monitor().port();
            try (ServerSocket socket = new ServerSocket(
                    port, 1, InetAddress.getByName(config.monitor().host()))) {
                return socket.getLocalPort() + " is free";
            } catch (IOException e) {
                throw new IOException(port + " is in use; train with monitor.port=0", e);
            }
        });
        check("secret", () -> {
            Secret.load();
            return Secret.file().toString();
        });
        check("disk", () -> {
            long free = Files.getFileStore(Path.of(".")).getUsableSpace();
            if (free < ENOUGH_BYTES) {
                throw new IOException((free >> 20) + " MiB free here; a run with its journal wants 2 GiB");
            }
            return (free >> 30) + " GiB free";
        });
        return healthy ? 0 : 1;
    }

    private void check(String what, Callable<String> probe) {
        try {
            System.out.printf("%-16s ok    %s%n", what, probe.call());
        } catch (Exception | LinkageError e) {
            healthy = false;
            System.out.printf("%-16s FAIL  %s%n", what, Failures.oneLine(e));
        }
    }
}
