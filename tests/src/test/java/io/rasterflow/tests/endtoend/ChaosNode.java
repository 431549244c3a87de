package io.rasterflow.tests.endtoend;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A process of the run, and what has been done to it. */
final class ChaosNode {

    final String name;
    /** Empty where the machine allows no namespaces. */
    final Optional<Subnet.Host> host;

    final String address;
    final boolean trainer;
    final Rasterflow.Running running;

    /** Whether it takes part. */
    boolean member;
    /** Whether the cluster counts it, as long as it is a member. */
    boolean voter;
    /** Number of the newest generation when it was last struck; -1 when it is well. */
    long struckIn = -1;

    boolean stopped;
    boolean cut;
    boolean killed;
    boolean drained;
    boolean replaced;
    long healsAt;
    long endedAt;
    final long begunMillis = System.currentTimeMillis();
    long healedMillis;

    ChaosNode(String name, Optional<Subnet.Host> host, String address, boolean trainer, Rasterflow.Running running) {
        this.name = name;
        this.host = host;
        this.address = address;
        this.trainer = trainer;
        this.running = running;
    }

    boolean alive() {
        return running.process().isAlive();
    }

    boolean disturbed() {
        return struckIn >= 0;
    }

    boolean well() {
        return alive() && member && !disturbed();
    }

    void signal(String signal) throws IOException {
        Process kill = new ProcessBuilder(
                        "kill", "-" + signal, Long.toString(running.process().pid()))
                .start();
        kill.onExit().join();
    }

    /** As long as that takes. */
    boolean awaitEnd(long seconds) throws InterruptedException {
        return running.process().waitFor(seconds, TimeUnit.SECONDS);
    }

    /** The last lines that it wrote. */
    String log() throws IOException {
        StringBuilder text = new StringBuilder("---- " + this + "\n");
        for (Path file : List.of(running.out(), running.err())) {
            List<String> lines = Files.readAllLines(file);
            lines.subList(Math.max(0, lines.size() - 25), lines.size())
                    .forEach(line -> text.append(line).append('\n'));
        }
        return text.toString();
    }

    @Override
    public String toString() {
        return name + " at " + address;
    }
}
