package io.rasterflow.cli;

import io.rasterflow.actors.exchange.DataPlaneConfig;
import io.rasterflow.actors.node.Node;
import io.rasterflow.actors.node.NodeSettings;
import io.rasterflow.config.ConfigException;
import io.rasterflow.config.Secret;
import io.rasterflow.launch.ChildJvm;
import io.rasterflow.launch.ClusterNode;
import io.rasterflow.model.program.Engines;
import io.rasterflow.monitoring.monitor.Reporting;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rasterflow node}: one more process of a running cluster. */
@Command(name = "node", description = "Joins a running cluster as one node and works until the run is over.")
final class NodeCommand implements Callable<Integer> {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** For the step that is under way. */
    private static final Duration LEAVE = Duration.ofMinutes(2);

    @Option(
            names = "--role",
            split = ",",
            required = true,
            description =
                    "Comma-separated: trainer; probe; coordinator and monitor to take over when the run's are lost.")
    private List<String> roles;

    @Option(
            names = "--join",
            split = ",",
            required = true,
            paramLabel = "HOST:PORT",
            description = "Any node of the cluster; or several, comma-separated, of which some may be gone.")
    private List<String> join;

    @Option(names = "--name", description = "Unique name of the node; default: host and process id.")
    private String name;

    @Option(
            names = "--host",
            defaultValue = "127.0.0.1",
            description = "Address that this node listens on and others reach it by; default ${DEFAULT-VALUE}.")
    private String host;

    @Option(names = "--port", defaultValue = "0", description = "Control port; 0 takes a free one.")
    private int port;

    @Override
    public Integer call() {
        ChildJvm.followParent();
        Engines.configure(1);
        Set<String> roleSet = new LinkedHashSet<>(roles);
        if (!Node.ROLES.containsAll(roleSet)) {
            throw new ConfigException(
                    "--role must be some of " + String.join(", ", Node.ROLES) + " but is " + String.join(",", roles));
        }
        String nodeName =
                name != null ? name : host + "-" + ProcessHandle.current().pid();
        NodeSettings settings = new NodeSettings(
                nodeName,
                roleSet,
                Optional.empty(),
                new DataPlaneConfig(host, 0, Secret.load()),
                Reporting.ALL,
                System.out::println);
        try (ClusterNode node = ClusterNode.joining(settings, host, port, join)) {
            node.awaitMembership(join, PATIENCE);
            Thread onTerminate = new Thread(() -> node.leave(LEAVE), "leave-on-terminate");
            Runtime.getRuntime().addShutdownHook(onTerminate);
            node.awaitTermination();
            TrainCommand.removeHook(onTerminate);
        }
        return 0;
    }
}
