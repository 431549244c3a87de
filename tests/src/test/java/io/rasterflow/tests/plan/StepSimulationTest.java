package io.rasterflow.tests.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.plan.Cluster;
import io.rasterflow.actors.plan.StepSimulation;
import io.rasterflow.actors.plan.StepSimulation.Detail;
import io.rasterflow.actors.plan.StepSimulation.Form;
import io.rasterflow.actors.plan.StepTimes;
import io.rasterflow.actors.plan.Workload;
import java.util.Collections;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Simulated steps against closed forms, against each other, and as their inputs change. */
class StepSimulationTest {

    private static final double NIC = 1e9;
    private static final double LATENCY = 1e-4;
    private static final double FLOPS_PER_IMAGE = 1e9;
    private static final int BUCKET_FLOATS = 16_000_000;

    /** So fast that it takes no time. */
    private static final double FREE = 1e30;

    private static final Cluster.Rank EVEN = new Cluster.Rank(1e12, 1, 0, 0, 1, FREE, FREE);
    private static final Cluster.Rank UNEVEN = new Cluster.Rank(1e12, 1, 0.1, 0.1, 1.3, FREE, FREE);
    private static final Cluster.Link CARD_ALONE = new Cluster.Link(NIC, LATENCY, FREE, FREE, 0);

    private static Workload workload(int microBatches, int buckets) {
        return new Workload(
                (long) buckets * BUCKET_FLOATS,
                FLOPS_PER_IMAGE,
                64 * microBatches,
                microBatches,
                Collections.nCopies(buckets, BUCKET_FLOATS),
                4);
    }

    private static StepTimes run(Workload workload, Cluster cluster, Form form, Detail detail) {
        return StepSimulation.run(workload, cluster, form, detail, 7, 3);
    }

    @Test
    void withoutContentionADirectExchangeTakesTwoPhasesOfLatencyAndBandwidth() {
        for (int ranks : List.of(2, 3, 8, 16)) {
            Workload workload = workload(ranks, 1);
            StepTimes times = run(workload, new Cluster(ranks, 1, EVEN, CARD_ALONE), Form.DIRECT, Detail.EVERY_MESSAGE);
            double bytes = 2.0 * (ranks - 1) / ranks * workload.gradientBytes();
            assertEquals(bytes / NIC + 2 * LATENCY, times.exposedSeconds(), 1e-9, ranks + " ranks");
            assertEquals(64 * FLOPS_PER_IMAGE / 1e12, times.computeSeconds(), 1e-12);
            assertEquals(bytes, times.bytesPerRank(), 1);
            assertEquals(bytes, times.cardBytesPerHost(), 1);
        }
    }

    @Test
    void withoutContentionARingTakesTwiceOneHopPerOtherRank() {
        for (int ranks : List.of(2, 3, 8, 16)) {
            Workload workload = workload(ranks, 1);
            double expected = 2 * (ranks - 1) * (LATENCY + workload.gradientBytes() / ranks / NIC);
            for (Detail detail : List.of(Detail.EVERY_MESSAGE, Detail.AGGREGATE)) {
                StepTimes times = run(workload, new Cluster(ranks, 1, EVEN, CARD_ALONE), Form.RING, detail);
                assertEquals(expected, times.exposedSeconds(), 1e-9, ranks + " ranks, " + detail);
            }
        }
    }

    @Test
    void ranksOfAHostShareItsCardInTheDirectExchangeAndPassItOnceInARing() {
        Workload workload = workload(32, 1);
        Cluster cluster = new Cluster(32, 8, EVEN, new Cluster.Link(NIC, 0, FREE, FREE, 0));
        StepTimes direct = run(workload, cluster, Form.DIRECT, Detail.EVERY_MESSAGE);
        StepTimes ring = run(workload, cluster, Form.RING, Detail.EVERY_MESSAGE);
        double through = 2 * 8 * 24.0 / 32 * workload.gradientBytes();
        assertEquals(through, direct.cardBytesPerHost(), 1);
        // The first pieces meet on their way in, so not every card is busy all the time.
        assertEquals(through / NIC, direct.exposedSeconds(), 0.15 * through / NIC);
        assertEquals(2 * 31.0 / 32 * workload.gradientBytes(), ring.cardBytesPerHost(), 1);
        assertTrue(ring.exposedSeconds() < 0.3 * direct.exposedSeconds());
    }

    @Test
    void frameCostsOfThreadsGrowWithTheWorldInTheDirectExchange() {
        Cluster.Link link = new Cluster.Link(FREE, 0, FREE, FREE, 1e-4);
        StepTimes few = run(workload(64, 1), new Cluster(8, 1, EVEN, link), Form.DIRECT, Detail.EVERY_MESSAGE);
        StepTimes many = run(workload(64, 1), new Cluster(64, 1, EVEN, link), Form.DIRECT, Detail.EVERY_MESSAGE);
        assertTrue(many.exposedSeconds() > few.exposedSeconds());
    }

    @Test
    void earlierBucketsHideBehindTheBackwardPass() {
        // 64 ms of computing, two thirds of it backward; each bucket needs 2 ms.
        Cluster.Link fast = new Cluster.Link(32e9, 0, FREE, FREE, 0);
        for (Form form : Form.values()) {
            StepTimes times = run(workload(2, 8), new Cluster(2, 1, EVEN, fast), form, Detail.EVERY_MESSAGE);
            assertEquals(BUCKET_FLOATS * 4 / 32e9, times.exposedSeconds(), 1e-6, form.toString());
        }
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void theAggregateAgreesWithEveryMessage(Form form) {
        Cluster.Link link = new Cluster.Link(12.5e9, 2e-5, 1e11, 4e9, 1e-5);
        for (Cluster cluster : List.of(
                new Cluster(8, 8, UNEVEN, link),
                new Cluster(16, 1, UNEVEN, link),
                new Cluster(32, 8, UNEVEN, link),
                new Cluster(48, 4, UNEVEN, link))) {
            Workload workload = workload(96, 6);
            StepTimes every = run(workload, cluster, form, Detail.EVERY_MESSAGE);
            StepTimes aggregate = run(workload, cluster, form, Detail.AGGREGATE);
            assertTrue(every.everyMessage());
            assertFalse(aggregate.everyMessage());
            assertEquals(every.bytesPerRank(), aggregate.bytesPerRank(), 1e-6 * every.bytesPerRank());
            assertEquals(every.cardBytesPerHost(), aggregate.cardBytesPerHost(), 1e-6 * every.bytesPerRank());
            assertEquals(every.stepSeconds(), aggregate.stepSeconds(), 0.05 * every.stepSeconds(), cluster.toString());
        }
    }

    @Property(tries = 40)
    void moreBandwidthIsNeverSlower(
            @ForAll @IntRange(min = 1, max = 6) int hosts,
            @ForAll @IntRange(min = 1, max = 4) int ranksPerHost,
            @ForAll @DoubleRange(min = 1e8, max = 1e11) double nic,
            @ForAll @DoubleRange(min = 1.1, max = 4) double faster,
            @ForAll Form form,
            @ForAll long seed) {
        int ranks = hosts * ranksPerHost;
        Workload workload = workload(24, 4);
        double[] seconds = new double[2];
        for (int i = 0; i < 2; i++) {
            Cluster.Link link = new Cluster.Link(nic * (i == 0 ? 1 : faster), 2e-5, 1e11, 1e10, 1e-6);
            Cluster cluster = new Cluster(ranks, ranksPerHost, UNEVEN, link);
            seconds[i] = StepSimulation.run(workload, cluster, form, Detail.AUTO, seed, 2)
                    .stepSeconds();
        }
        // Messages that share a card may come in another order, which can cost a little of what the bandwidth gains.
        assertTrue(seconds[1] <= seconds[0] * 1.001, seconds[0] + " then " + seconds[1]);
    }

    @Test
    void theSameSeedGivesTheSameStep() {
        Cluster cluster = new Cluster(12, 4, UNEVEN, CARD_ALONE);
        for (Form form : Form.values()) {
            for (Detail detail : Detail.values()) {
                assertEquals(run(workload(12, 4), cluster, form, detail), run(workload(12, 4), cluster, form, detail));
            }
        }
        assertFalse(StepSimulation.run(workload(12, 4), cluster, Form.RING, Detail.AUTO, 1, 2)
                .equals(StepSimulation.run(workload(12, 4), cluster, Form.RING, Detail.AUTO, 2, 2)));
    }

    @Test
    void oneRankExchangesNothing() {
        StepTimes times = run(workload(4, 3), new Cluster(1, 8, UNEVEN, CARD_ALONE), Form.DIRECT, Detail.AUTO);
        assertEquals(0, times.bytesPerRank());
        assertEquals(times.computeSeconds(), times.stepSeconds(), 1e-9);
    }

    @Test
    void theSlowestRankSetsThePace() {
        Cluster.Rank oneInTen = new Cluster.Rank(1e12, 1, 0, 0.1, 1.5, FREE, FREE);
        StepTimes times = run(workload(64, 1), new Cluster(64, 8, oneInTen, CARD_ALONE), Form.RING, Detail.AUTO);
        assertEquals(1.5 * 64 * FLOPS_PER_IMAGE / 1e12, times.slowestSeconds(), 1e-9);
        assertTrue(times.computeSeconds() < 0.8 * times.slowestSeconds());
    }

    @Test
    void moreRanksThanMicroBatchesAreRefused() {
        IllegalArgumentException refused = assertThrows(
                IllegalArgumentException.class,
                () -> run(workload(4, 1), new Cluster(8, 8, EVEN, CARD_ALONE), Form.RING, Detail.AUTO));
        assertTrue(refused.getMessage().contains("--micro-batches"), refused.getMessage());
    }
}
