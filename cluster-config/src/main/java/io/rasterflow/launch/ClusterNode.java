package io.rasterflow.launch;

import io.rasterflow.actors.node.Node;
import io.rasterflow.actors.node.NodeSettings;
import io.rasterflow.config.ConfigException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.AddressFromURIString;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.JoinSeedNodes;

/** One JVM of the cluster: its actor system, joined to a cluster or the first of one. */
public final class ClusterNode implements AutoCloseable {

    private final ActorSystem<Node.Command> system;
    private final CompletableFuture<String> failure;

    private ClusterNode(ActorSystem<Node.Command> system, CompletableFuture<String> failure) {
        this.system = system;
        this.failure = failure;
    }

    /** Starts the first node of a new cluster. */
    public static ClusterNode first(NodeSettings settings, String host, int port) {
        ClusterNode node = start(settings, host, port);
        Cluster cluster = Cluster.get(node.system);
        cluster.manager().tell(Join.create(cluster.selfMember().address()));
        return node;
    }

    /**
     * Starts a node that joins the cluster of the first to answer; it begins none of its own.
     *
     * @param join HOST:PORT of nodes that may be in the cluster
     */
    public static ClusterNode joining(NodeSettings settings, String host, int port, List<String> join) {
        List<Address> addresses = join.stream().map(ClusterNode::parse).toList();
        ClusterNode node = start(settings, host, port);
        Cluster cluster = Cluster.get(node.system);
        List<Address> others = addresses.stream()
                .filter(address -> !address.equals(cluster.selfMember().address()))
                .toList();
        if (others.isEmpty()) {
            node.close();
            throw new ConfigException(
                    "--join names this node alone (" + join.get(0) + "); name another of the cluster");
        }
        cluster.manager().tell(new JoinSeedNodes(others));
        return node;
    }

    private static Address parse(String join) {
        if (!join.matches("[^\\s:]+:\\d{1,5}")) {
            throw new ConfigException("--join must be HOST:PORT but is " + join);
        }
        return AddressFromURIString.parse("pekko://" + ControlPlane.SYSTEM + "@" + join);
    }

    private static ClusterNode start(NodeSettings settings, String host, int port) {
        CompletableFuture<String> failure = new CompletableFuture<>();
        return new ClusterNode(
                ControlPlane.start(Node.create(settings, failure), host, port, settings.roles()), failure);
    }

    public ActorSystem<Node.Command> system() {
        return system;
    }

    /** HOST:PORT that others can join. */
    public String address() {
        Address address = Cluster.get(system).selfMember().address();
        return address.getHost().get() + ":" + address.getPort().get();
    }

    /** The run's singletons. */
    public Node.Attached attach() {
        try {
            Node.AttachReply reply = AskPattern.<Node.Command, Node.AttachReply>ask(
                            system, Node.Attach::new, Duration.ofSeconds(30), system.scheduler())
                    .toCompletableFuture()
                    .get();
            if (reply instanceof Node.Unable unable) {
                throw new IllegalStateException(unable.cause());
            }
            return (Node.Attached) reply;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the node started", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(
                    "the node did not start: " + e.getCause().getMessage(), e);
        }
    }

    /**
     * Blocks until this node is a member.
     *
     * @throws IllegalStateException with one line when no cluster has let it in by then
     */
    public void awaitMembership(List<String> join, Duration patience) {
        CompletableFuture<Void> member = new CompletableFuture<>();
        org.apache.pekko.cluster.Cluster.get(system).registerOnMemberUp(() -> member.complete(null));
        try {
            member.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while joining " + String.join(", ", join), e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(
                    "no cluster at " + String.join(" or ", join) + " let this node in within " + patience.toSeconds()
                            + " s; check the address, and that the run is still going",
                    e);
        }
    }

    /**
     * Blocks until the actor system has ended by itself.
     *
     * @throws IllegalStateException with one line if the run is not over
     */
    public void awaitTermination() {
        system.getWhenTerminated().toCompletableFuture().join();
        String cause = failure.getNow("");
        if (!cause.isEmpty()) {
            throw new IllegalStateException(cause);
        }
    }

    /** Has the node's trainers leave at the next step boundary, and ends it then. */
    public void leave(Duration patience) {
        system.tell(new Node.Leave());
        try {
            system.getWhenTerminated().toCompletableFuture().get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            system.terminate();
        }
    }

    /** Ends the actor system and waits for it. */
    @Override
    public void close() {
        system.tell(new Node.Shutdown());
        try {
            system.getWhenTerminated().toCompletableFuture().get(15, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            system.terminate();
        }
    }
}
