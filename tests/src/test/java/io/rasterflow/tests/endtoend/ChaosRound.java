package io.rasterflow.tests.endtoend;

import static io.rasterflow.tests.endtoend.Rasterflow.words;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.checkpoint.Checkpoint;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * One run from its first process to its last, with faults. Faults may overlap, but less than half of the cluster's nodes are
 * struck at a time: more than that no cluster survives. Nodes that have ended are started again, as an operator would.
 */
final class ChaosRound {

    /** Without a step for so long the run has come to a standstill. */
    private static final long STANDSTILL_MILLIS = 90_000;

    /** In which the cluster gives up a node that it does not reach. */
    private static final long DECISION_MILLIS = 15_000;
    /** In which a node that was given up learns of it, and the others agree who is left. */
    private static final long AFTERMATH_MILLIS = 2_000;

    private static final int PORT = 7355;

    private final Rasterflow rasterflow;
    private final Path run;
    private final ChaosTest.Shape shape;
    private final Random random;
    private final Optional<Subnet> subnet;
    private final Deque<ChaosFault> faults;
    private final List<ChaosNode> nodes = new ArrayList<>();
    private final List<ChaosFault.Kind> struck = new ArrayList<>();
    private final long begunAt = now();
    private int hosts;
    private int names;

    // What the last look at the journals has shown
    private ChaosJournal journal = new ChaosJournal();
    private long steps;
    private long movedAt = now();
    private long faultDueAt = -1;
    private long disturbedAt = now();

    /** @param shape of the run and of what goes wrong */
    ChaosRound(Path directory, long seed, ChaosTest.Shape shape, Optional<Subnet> subnet) {
        this.rasterflow = new Rasterflow(directory);
        this.run = directory.resolve("chaos-" + seed);
        this.shape = shape;
        this.random = new Random(seed);
        this.subnet = subnet;
        List<ChaosFault.Kind> kinds = shape.kinds().stream()
                .filter(kind -> subnet.isPresent() || !kind.ofNetwork())
                .toList();
        this.faults = new ArrayDeque<>(ChaosFault.draw(random, kinds, shape.faults(), shape.steps(), shape.lasting()));
    }

    private static long now() {
        return System.nanoTime() / 1_000_000;
    }

    private void say(String what, Object... details) {
        System.out.printf(
                "chaos: %4d s, step %d, generation %d: ",
                (now() - begunAt) / 1_000, journal.steps(), journal.generation());
        System.out.printf(what + "%n", details);
    }

    /** @param sha256 of the final weights of an undisturbed run */
    void run(String sha256) throws Exception {
        try {
            begin();
            Awaitility.await("the run")
                    .atMost(shape.patienceSeconds(), TimeUnit.SECONDS)
                    .pollInterval(300, TimeUnit.MILLISECONDS)
                    .until(this::goOn);
            end(sha256);
        } catch (Exception | Error e) {
            for (ChaosNode node : nodes) {
                System.out.println(node.log());
            }
            throw e;
        } finally {
            for (ChaosNode node : nodes) {
                node.running.process().destroyForcibly();
            }
            for (ChaosNode node : nodes) {
                node.running.process().waitFor();
            }
        }
    }

    // ---- Nodes

    private void begin() throws IOException {
        int minNodes = Math.max(2, shape.trainers() - 1 - random.nextInt(2));
        ChaosNode main = start(
                "main",
                false,
                place(),
                at -> words(
                        "train",
                        "--json",
                        "--run",
                        run,
                        shape.settings(),
                        "cluster.host=" + at.split(":")[0],
                        "cluster.port=" + at.split(":")[1],
                        "cluster.spawn=false",
                        "cluster.nodes=" + shape.trainers(),
                        "cluster.minNodes=" + minNodes,
                        "cluster.replicas=1",
                        "exchange.transport=" + (random.nextBoolean() ? "tcp" : "auto")));
        main.member = true;
        main.voter = true;
        Awaitility.await()
                .atMost(60, TimeUnit.SECONDS)
                .until(() ->
                        !main.alive() || Files.readString(main.running.out()).contains("--join "));
        for (int i = 0; i < shape.trainers(); i++) {
            startTrainer("node-" + ++names, place());
        }
    }

    /** A host that nobody was on before. */
    private Optional<Subnet.Host> place() throws IOException {
        return subnet.isPresent() ? Optional.of(subnet.get().host(++hosts)) : Optional.empty();
    }

    private interface Arguments {
        List<String> at(String address);
    }

    private ChaosNode start(String name, boolean trainer, Optional<Subnet.Host> host, Arguments arguments)
            throws IOException {
        String address = host.map(there -> there.address() + ":" + PORT).orElseGet(() -> "127.0.0.1:" + freePort());
        Rasterflow.Running running = rasterflow.start(
                host.map(Subnet.Host::command).orElse(List.of()),
                arguments.at(address),
                // Ends with this JVM, however that ends.
                Map.of(
                        "RASTERFLOW_PARENT_PID",
                        Long.toString(ProcessHandle.current().pid())));
        ChaosNode node = new ChaosNode(name, host, address, trainer, running);
        node.cut = nodes.stream().anyMatch(other -> other.cut && host.isPresent() && other.host.equals(host));
        nodes.add(node);
        return node;
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Any of them may become the coordinator's. */
    private void startTrainer(String name, Optional<Subnet.Host> host) throws IOException {
        List<String> known =
                nodes.stream().filter(ChaosNode::well).map(node -> node.address).toList();
        if (known.isEmpty()) {
            return; // Until one is well.
        }
        ChaosNode node = start(
                name,
                true,
                host,
                at -> words(
                        "node",
                        "--role",
                        "coordinator,monitor,trainer",
                        "--name",
                        name,
                        "--join",
                        String.join(",", known),
                        "--host",
                        at.split(":")[0],
                        "--port",
                        at.split(":")[1]));
        say("%s begins and joins %s", node, known);
    }

    // ---- The run goes on

    /** Looks, heals, strikes and replaces. Returns whether the run is over. */
    private boolean goOn() throws IOException {
        boolean allEnded = nodes.stream().noneMatch(ChaosNode::alive);
        journal = ChaosJournal.read(run); // After the look at the processes: the end is written before they end.
        assertEquals("", journal.violation());
        if (journal.steps() > steps) {
            steps = journal.steps();
            movedAt = now();
        }
        if (journal.end().isPresent()) {
            return true;
        }
        assertFalse(allEnded, () -> "all nodes have ended, without the end of the run: " + exits());
        assertTrue(now() - movedAt < STANDSTILL_MILLIS, "no step since " + STANDSTILL_MILLIS + " ms");
        look();
        heal(false);
        replace();
        strike();
        return false;
    }

    private String exits() {
        return nodes.stream()
                .map(node -> node + " with exit code " + node.running.process().exitValue())
                .collect(Collectors.joining(", "));
    }

    private void look() {
        if (nodes.stream().anyMatch(node -> node.member && node.disturbed())) {
            disturbedAt = now();
        }
        // The cluster gives nobody a vote who joins while it does not reach all of its members.
        boolean admits = now() - disturbedAt > AFTERMATH_MILLIS;
        for (ChaosNode node : nodes) {
            boolean ended = !node.alive();
            if (ended && node.endedAt == 0) {
                node.endedAt = now();
                int exit = node.running.process().exitValue();
                say("%s has ended with exit code %d", node, exit);
                assertTrue(exit != 0, "nobody would start " + node + " again, for it ended as if the run were over");
            }
            if (node.stopped || node.cut) {
                continue;
            }
            long quiet = now() - Math.max(node.endedAt, node.healsAt);
            if (ended) {
                boolean missed = !node.disturbed() || (node.trainer && journal.generation() > node.struckIn);
                if (missed || quiet > DECISION_MILLIS) {
                    node.member = false;
                    node.struckIn = -1;
                }
            } else if (!node.killed && !node.drained && quiet > 0 && isAtWork(node)) {
                node.member = true;
                node.voter |= admits;
                node.struckIn = quiet > AFTERMATH_MILLIS ? -1 : node.struckIn;
            }
        }
    }

    /** Who does not train cannot be seen to work, but to have ended. */
    private boolean isAtWork(ChaosNode node) {
        return !node.trainer || journal.lastStepMillis(node.name) > Math.max(node.begunMillis, node.healedMillis);
    }

    private void heal(boolean all) throws IOException {
        List<ChaosNode> back = new ArrayList<>();
        for (ChaosNode node : nodes) {
            if ((all || node.healsAt <= now()) && node.stopped) {
                node.signal("CONT");
                node.stopped = false;
                node.healedMillis = System.currentTimeMillis();
                say("%s goes on", node);
            }
            if ((all || node.healsAt <= now()) && node.cut) {
                node.cut = false;
                node.healedMillis = System.currentTimeMillis();
                back.add(node);
            }
        }
        if (!back.isEmpty()) {
            subnet.orElseThrow()
                    .restore(back.stream()
                            .map(node -> node.host.orElseThrow())
                            .distinct()
                            .toList());
            say("%s reach the others again", back);
        }
    }

    /** Half of them under the same name on the same host, as after a crash of the process, half elsewhere. */
    private void replace() throws IOException {
        for (ChaosNode node : List.copyOf(nodes)) {
            if (node.endedAt == 0 || node.replaced || !node.trainer || now() - node.endedAt < 500) {
                continue;
            }
            node.replaced = true;
            boolean enough = nodes.stream()
                            .filter(other -> other.trainer && other.alive())
                            .count()
                    >= shape.trainers();
            if (!enough) {
                boolean same = random.nextBoolean();
                startTrainer(same ? node.name : "node-" + ++names, same ? node.host : place());
            }
        }
    }

    // ---- Faults

    private void strike() throws IOException {
        if (faults.isEmpty() || faults.peek().atStep() > steps) {
            return;
        }
        faultDueAt = faultDueAt < 0 ? now() + faults.peek().delayMillis() : faultDueAt;
        long voters = nodes.stream().filter(node -> node.member && node.voter).count();
        long disturbed =
                nodes.stream().filter(node -> node.member && node.disturbed()).count();
        int budget = (int) ((voters - 1) / 2 - disturbed);
        ChaosFault fault = faults.peek();
        List<ChaosNode> victims = nodes.stream()
                .filter(node -> node.well() && (node.trainer || fault.kind() != ChaosFault.Kind.DRAIN))
                .toList();
        boolean join = fault.kind() == ChaosFault.Kind.JOIN;
        if (now() < faultDueAt || victims.isEmpty() || (budget < 1 && !join)) {
            return;
        }
        faults.remove();
        faultDueAt = -1;
        struck.add(fault.kind());
        strike(fault, victims, budget);
    }

    private void strike(ChaosFault fault, List<ChaosNode> victims, int budget) throws IOException {
        ChaosNode victim = victims.get((int) (fault.draw() * victims.size()));
        List<ChaosNode> side = new ArrayList<>(List.of(victim));
        if (fault.kind() == ChaosFault.Kind.CUT && fault.nodes() > 1 && budget > 1) {
            side.add(victims.get((victims.indexOf(victim) + 1) % victims.size()));
        }
        if (fault.kind() == ChaosFault.Kind.JOIN) {
            startTrainer("node-" + ++names, place());
            return;
        }
        side.forEach(node -> {
            node.struckIn = journal.generation();
            node.healsAt = now() + fault.millis();
        });
        say("%s %s for %d ms", fault.kind(), side, fault.millis());
        switch (fault.kind()) {
            case KILL -> {
                victim.killed = true;
                victim.signal("KILL");
            }
            case STOP -> {
                victim.stopped = true;
                victim.signal("STOP");
            }
            case DRAIN -> {
                victim.drained = true;
                victim.signal("TERM");
            }
            default -> cut(fault, side);
        }
    }

    private void cut(ChaosFault fault, Collection<ChaosNode> side) throws IOException {
        List<Subnet.Host> away =
                side.stream().map(node -> node.host.orElseThrow()).toList();
        side.forEach(node -> node.cut = true);
        if (fault.kind() == ChaosFault.Kind.UNPLUG) {
            subnet.orElseThrow().unplug(away.get(0));
        } else {
            subnet.orElseThrow().cut(away);
        }
    }

    // ---- The end

    private void end(String sha256) throws Exception {
        heal(true);
        say("the run is over, %s after %s", journal.end().orElseThrow().outcome(), struck);
        assertEquals(shape.steps(), journal.end().orElseThrow().step());
        for (ChaosNode node : nodes) {
            if (!node.member && !node.disturbed()) {
                node.killed = true;
                node.signal("KILL"); // What it would join is over.
            }
            assertTrue(node.awaitEnd(60), node + " has not ended with the run");
            if (node.member && !node.disturbed()) {
                assertEquals(0, node.running.process().exitValue(), node.toString());
            }
        }
        Path last = Checkpoint.directory(run, shape.steps());
        assertEquals(sha256, Checkpoint.state(last).weightsSha256());

        Rasterflow.Result audit = rasterflow.run("audit", "--run", run, "--json");
        assertEquals(0, audit.exit(), audit.text());
        assertEquals(
                shape.steps() * shape.batch(), audit.json().get("positions").asLong());
        assertEquals(0, audit.json().get("missing").asLong());
        assertEquals(0, audit.json().get("duplicated").asLong());
        assertNothingIsLeft();
        assertTrue(
                2 * struck.size() >= shape.faults(),
                "only " + struck + " has happened: the run is too short for this machine");
    }

    private void assertNothingIsLeft() throws IOException {
        if (subnet.isPresent()) {
            assertEquals(List.of(), subnet.get().processes());
        }
        List<String> pids = nodes.stream()
                .filter(node -> !node.killed) // What these leave is swept by the next process that starts.
                .map(node -> "-" + node.running.process().pid())
                .toList();
        for (Path place : List.of(run.resolve("checkpoints"), Path.of("/dev/shm"))) {
            try (Stream<Path> files = Files.list(place)) {
                assertEquals(
                        List.of(),
                        files.map(Path::toString)
                                .filter(file -> file.endsWith(".tmp") || file.contains("rasterflow-exchange-"))
                                .filter(file -> pids.stream().anyMatch(pid -> file.matches(".*" + pid + "\\b.*")))
                                .toList());
            }
        }
    }
}
