package io.rasterflow.tests.endtoend;

import static io.rasterflow.tests.endtoend.Rasterflow.words;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real processes, each on a host of its own, while a seed decides who is killed, stopped, cut off, let go and joined: the
 * ranks agree on every step, nobody goes on beside a newer generation, every position is used exactly once and the weights
 * are those of an undisturbed run.
 *
 * <p>{@code mvn verify -Pchaos} goes on for {@code -Dchaos.minutes=5} with new seeds, or with {@code -Dchaos.seed=N} first.
 */
class ChaosTest {

    /**
     * A kind of run.
     *
     * @param trainers nodes that train, beside the one that begins the run
     * @param kinds of faults, each of which must have happened
     * @param faults how many
     * @param lasting whether they may last until the cluster gives nodes up
     * @param patienceSeconds for the whole run
     */
    record Shape(
            int trainers, long steps, List<ChaosFault.Kind> kinds, int faults, boolean lasting, long patienceSeconds) {

        int batch() {
            return 16;
        }

        /** What is learned, the same for an undisturbed run. */
        List<String> settings() {
            return words(
                    Rasterflow.SMALL,
                    "model.trunk.dim=16",
                    "model.trunk.blocks=1",
                    "model.head.dim=16",
                    "train.batch=" + batch(),
                    "train.microBatches=6",
                    "train.steps=" + steps,
                    "train.checkpointEverySteps=" + steps / 3,
                    "probe.everySteps=1000000",
                    "probe.trainImages=200");
        }
    }

    private static final Shape SHORT = new Shape(
            3,
            240,
            List.of(ChaosFault.Kind.KILL, ChaosFault.Kind.STOP, ChaosFault.Kind.DRAIN, ChaosFault.Kind.CUT),
            4,
            false,
            150);
    private static final long SHORT_SEED = 0;

    private static final Shape LONG = new Shape(4, 2_000, List.of(ChaosFault.Kind.values()), 14, true, 600);

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path directory;

    @Test
    void aRunWithSomeAccidentsIsTheSameRun() throws Exception {
        String undisturbed = undisturbed(SHORT);
        round(SHORT_SEED, SHORT, undisturbed);
    }

    @Test
    @Tag("chaos")
    @Timeout(value = 1, unit = TimeUnit.DAYS)
    void minutesOfAccidentsChangeNoBit() throws Exception {
        Duration length = Duration.ofMinutes(Long.getLong("chaos.minutes", 5));
        long seed = Long.getLong("chaos.seed", System.currentTimeMillis());
        String undisturbed = undisturbed(LONG);
        long begun = System.nanoTime();
        do {
            round(seed, LONG, undisturbed);
            seed++;
        } while (Duration.ofNanos(System.nanoTime() - begun).compareTo(length) < 0);
    }

    private void round(long seed, Shape shape, String undisturbed) throws Exception {
        System.out.println("chaos: seed " + seed + " (replay with mvn verify -Pchaos -Dchaos.seed=" + seed
                + " -Dchaos.minutes=0)");
        Optional<Subnet> subnet = Subnet.open();
        try {
            new ChaosRound(directory, seed, shape, subnet).run(undisturbed);
        } finally {
            subnet.ifPresent(Subnet::close);
        }
    }

    /** Hash of the final weights. */
    private String undisturbed(Shape shape) throws IOException, InterruptedException {
        Rasterflow.Result whole = new Rasterflow(directory)
                .run("train", "--json", "--run", "undisturbed", shape.settings(), "cluster.replicas=2");
        assertEquals(0, whole.exit(), whole.text());
        return whole.json().get("weightsSha256").asText();
    }
}
