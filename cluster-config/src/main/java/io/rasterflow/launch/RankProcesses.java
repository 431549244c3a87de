package io.rasterflow.launch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One JVM per rank of a measurement. This process and theirs talk in lines of JSON over the children's standard input
 * and output; what they complain of is read from their standard error when they have ended.
 */
public final class RankProcesses implements AutoCloseable {

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final long GRACE_SECONDS = 3;
    private static final String COMPLAINT = "rasterflow: ";

    private final List<Process> processes = new ArrayList<>();
    private final List<BufferedReader> answers = new ArrayList<>();

    /** Starts {@code count} processes that run a verb. */
    public static RankProcesses start(int count, List<String> verb) throws IOException {
        RankProcesses ranks = new RankProcesses();
        try {
            for (int rank = 0; rank < count; rank++) {
                Process process = ChildJvm.of(verb).start();
                ranks.processes.add(process);
                ranks.answers.add(
                        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)));
            }
            return ranks;
        } catch (IOException e) {
            ranks.close();
            throw e;
        }
    }

    /** Sends one object to a rank. */
    public void tell(int rank, Object message) throws IOException, InterruptedException {
        try {
            var in = processes.get(rank).getOutputStream();
            in.write((MAPPER.writeValueAsString(message) + "\n").getBytes(StandardCharsets.UTF_8));
            in.flush();
        } catch (IOException e) {
            throw new IOException(blame(rank), e);
        }
    }

    /**
     * Waits for a rank's next object.
     *
     * @throws IOException if a process ended without one: which, and what it said
     */
    public JsonNode hear(int rank) throws IOException, InterruptedException {
        String line = answers.get(rank).readLine();
        if (line == null) {
            throw new IOException(blame(rank));
        }
        return MAPPER.readTree(line);
    }

    /**
     * A rank has gone silent. Others that lost it end, too: the one that was killed is to blame, else one that does not
     * complain of another.
     */
    private String blame(int silent) throws IOException, InterruptedException {
        String reason = "";
        for (int i = 0; i < processes.size(); i++) {
            int rank = (silent + i) % processes.size();
            Process process = processes.get(rank);
            if (!process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS) || process.exitValue() == 0) {
                continue;
            }
            String said = lastWords(process);
            String line = "rank " + rank + "'s process ended with exit code " + process.exitValue()
                    + (said.isEmpty() ? "" : ": " + said);
            if (process.exitValue() > 1) {
                return line;
            }
            if (reason.isEmpty() || !said.contains("lost rank")) {
                reason = line;
            }
        }
        return reason.isEmpty() ? "rank " + silent + " closed its output without an answer" : reason;
    }

    private static String lastWords(Process process) throws IOException {
        String errors = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        return errors.lines()
                .filter(line -> !line.isBlank())
                .reduce((first, last) -> last)
                .map(line -> line.startsWith(COMPLAINT) ? line.substring(COMPLAINT.length()) : line)
                .orElse("");
    }

    /** Ends the processes that are left: they have nothing to save. */
    @Override
    public void close() {
        processes.forEach(Process::destroyForcibly);
        try {
            for (Process process : processes) {
                process.waitFor();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
