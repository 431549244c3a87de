package io.rasterflow.tests.endtoend;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Hosts of its own on this machine: network namespaces, each tied by a veth pair to a bridge in one more namespace. A host is
 * cut off by moving its end to another bridge (with others that are cut off alike, it still reaches these) or by taking it
 * down; either way packets are lost without a word, as they are in a network. Namespaces have no names and live as long as
 * the processes that hold them, which end with the pipe from this JVM, so nothing is left however that ends.
 *
 * <pre>
 *   host 1: eth0 10.77.0.1 --- p1 \
 *   host 2: eth0 10.77.0.2 --- p2 - bridge "near" | bridge "far" -- those that are cut off
 * </pre>
 */
final class Subnet implements AutoCloseable {

    private static final String NEAR = "near";
    private static final String FAR = "far";

    private final List<Process> holders = new ArrayList<>();
    private final List<String> user;
    private final Process hub;

    /**
     * @param number from 1
     * @param command what a command line begins with that runs there
     */
    record Host(int number, List<String> command) {
        String address() {
            return "10.77.0." + number;
        }

        private String port() {
            return "p" + number;
        }
    }

    private Subnet(boolean root) throws IOException {
        try {
            this.hub = hold(root ? List.of("unshare", "--net") : List.of("unshare", "--map-root-user", "--net"));
            this.user = root ? List.of() : List.of("--user", "--preserve-credentials");
            for (String bridge : List.of(NEAR, FAR)) {
                ip(hub, "link", "add", "name", bridge, "type", "bridge");
                ip(hub, "link", "set", bridge, "up");
            }
        } catch (IOException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** As root, or as whoever may make user namespaces; empty, saying so, where neither may be. */
    static Optional<Subnet> open() {
        List<String> refusals = new ArrayList<>();
        for (boolean root : new boolean[] {true, false}) {
            Subnet subnet = null;
            try {
                subnet = new Subnet(root);
                subnet.host(254);
                return Optional.of(subnet);
            } catch (IOException e) {
                refusals.add(e.getMessage());
                if (subnet != null) {
                    subnet.close();
                }
            }
        }
        System.out.println("chaos: no network namespaces here, so the network is not cut: " + refusals);
        return Optional.empty();
    }

    Host host(int number) throws IOException {
        Process holder = hold(inside(hub, "unshare", "--net"));
        Host host = new Host(number, inside(holder));
        String pid = Long.toString(holder.pid());
        ip(hub, "link", "add", "name", host.port(), "type", "veth", "peer", "name", "eth0", "netns", pid);
        ip(hub, "link", "set", host.port(), "master", NEAR, "up");
        ip(holder, "address", "add", host.address() + "/24", "dev", "eth0");
        ip(holder, "link", "set", "eth0", "up");
        ip(holder, "link", "set", "lo", "up");
        return host;
    }

    /** Cuts these hosts off from all others; they reach each other. */
    void cut(Collection<Host> side) throws IOException {
        for (Host host : side) {
            ip(hub, "link", "set", host.port(), "master", FAR);
        }
    }

    /** Pulls the plug: the host reaches nobody. */
    void unplug(Host host) throws IOException {
        ip(hub, "link", "set", host.port(), "down");
    }

    void restore(Collection<Host> side) throws IOException {
        for (Host host : side) {
            ip(hub, "link", "set", host.port(), "master", NEAR, "up");
        }
    }

    /** Processes in its namespaces, but for those that hold these. */
    List<Long> processes() throws IOException {
        List<String> namespaces = new ArrayList<>();
        for (Process holder : holders) {
            namespaces.add(namespace(holder.pid()));
        }
        try (Stream<ProcessHandle> all = ProcessHandle.allProcesses()) {
            return all.map(ProcessHandle::pid)
                    .filter(pid -> holders.stream().noneMatch(holder -> holder.pid() == pid))
                    .filter(pid -> namespaces.contains(namespace(pid)))
                    .toList();
        }
    }

    private static String namespace(long pid) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/net")).toString();
        } catch (IOException ended) {
            return "none of process " + pid;
        }
    }

    /** Ends what holds the namespaces, and so these, once no other process is in them. */
    @Override
    public void close() {
        holders.forEach(Process::destroyForcibly);
        holders.forEach(holder -> holder.onExit().join());
    }

    private List<String> inside(Process holder, String... command) {
        List<String> all = new ArrayList<>(List.of("nsenter", "--target", Long.toString(holder.pid()), "--net"));
        all.addAll(user);
        all.add("--");
        all.addAll(List.of(command));
        return all;
    }

    private Process hold(List<String> how) throws IOException {
        List<String> command = new ArrayList<>(how);
        command.add("cat");
        Process holder = new ProcessBuilder(command).redirectErrorStream(true).start();
        holders.add(holder);
        holder.getOutputStream().write('\n');
        holder.getOutputStream().flush();
        // What comes back tells that it is in its namespace.
        int first = holder.getInputStream().read();
        if (first != '\n') {
            String rest = new String(holder.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            throw new IOException((first < 0 ? "" : (char) first) + rest.strip());
        }
        return holder;
    }

    private void ip(Process where, String... arguments) throws IOException {
        List<String> command = inside(where, "ip");
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.onExit().join().exitValue() != 0) {
            throw new IOException(String.join(" ", arguments) + ": " + said.strip());
        }
    }
}
