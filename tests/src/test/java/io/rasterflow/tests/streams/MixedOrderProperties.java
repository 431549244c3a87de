package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.order.BatchPlan;
import io.rasterflow.streams.order.CounterRandom;
import io.rasterflow.streams.order.MixedOrder;
import io.rasterflow.streams.order.SampleId;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/** A mixture uses every source exactly, in its own order and in its exact share, wherever it is asked from. */
class MixedOrderProperties {

    /** Sources with whole-number weights, from which the expected block is computed here once more. */
    private record Mixture(List<Integer> weights, List<List<Integer>> shardCounts, int window) {

        MixedOrder order(long seed) {
            List<MixedOrder.Source> sources = new ArrayList<>();
            for (int i = 0; i < weights.size(); i++) {
                sources.add(new MixedOrder.Source("source" + i, weights.get(i) / 10.0, counts(i)));
            }
            return new MixedOrder(seed, sources, window);
        }

        int[] counts(int source) {
            return shardCounts.get(source).stream().mapToInt(Integer::intValue).toArray();
        }

        long size(int source) {
            return shardCounts.get(source).stream()
                    .mapToLong(Integer::longValue)
                    .sum();
        }

        int times() {
            int reduced = weights.stream().mapToInt(Integer::intValue).sum() / divisor();
            return Math.max(1, (99 + reduced) / reduced);
        }

        int count(int source) {
            return weights.get(source) / divisor() * times();
        }

        int block() {
            return weights.stream().mapToInt(Integer::intValue).sum() / divisor() * times();
        }

        private int divisor() {
            return weights.stream()
                    .map(BigInteger::valueOf)
                    .reduce(BigInteger.ZERO, BigInteger::gcd)
                    .intValue();
        }
    }

    @Provide
    Arbitrary<Mixture> mixtures() {
        Arbitrary<List<Integer>> shards =
                Arbitraries.integers().between(0, 25).list().ofMinSize(1).ofMaxSize(6);
        Arbitrary<List<Integer>> filled =
                shards.filter(counts -> counts.stream().anyMatch(count -> count > 0));
        Arbitrary<Integer> windows = Arbitraries.integers().between(1, 7);
        return Arbitraries.integers().between(1, 4).flatMap(n -> Combinators.combine(
                        Arbitraries.integers().between(1, 60).list().ofSize(n),
                        filled.list().ofSize(n),
                        windows)
                .as(Mixture::new));
    }

    @Property(tries = 100)
    void everyBlockTakesTheNextPositionsOfEverySource(
            @ForAll long seed, @ForAll("mixtures") Mixture mixture, @ForAll @LongRange(max = 1L << 40) long block) {
        MixedOrder order = mixture.order(seed);
        List<Set<SampleId>> found = new ArrayList<>();
        for (int i = 0; i < order.sources(); i++) {
            found.add(new HashSet<>());
        }
        for (long position = block * mixture.block(); position < (block + 1) * mixture.block(); position++) {
            SampleId id = order.at(position);
            int source = order.source(id);
            assertTrue(found.get(source).add(id), "twice: " + id);
            assertEquals(id, order.sample(id.epoch(), order.sampleNumber(id)));
        }
        int firstShard = 0;
        for (int i = 0; i < order.sources(); i++) {
            Set<SampleId> expected = new HashSet<>();
            for (int j = 0; j < mixture.count(i); j++) {
                SampleId local = order.order(i).at(block * mixture.count(i) + j);
                expected.add(new SampleId(local.epoch(), firstShard + local.shard(), local.sample()));
            }
            assertEquals(expected, found.get(i));
            firstShard += order.order(i).shards();
        }
    }

    @Property(tries = 50)
    void everyEpochOfEverySourceIsAnExactCover(@ForAll long seed, @ForAll("mixtures") Mixture mixture) {
        MixedOrder order = mixture.order(seed);
        long blocks = 0;
        for (int i = 0; i < order.sources(); i++) {
            blocks = Math.max(blocks, 1 + 2 * mixture.size(i) / mixture.count(i));
        }
        Map<Long, Set<Long>> numbersOfEpoch = new HashMap<>();
        for (long position = 0; position < blocks * mixture.block(); position++) {
            SampleId id = order.at(position);
            long number = order.sampleNumber(id);
            assertTrue(number >= 0 && number < order.size());
            assertTrue(
                    numbersOfEpoch
                            .computeIfAbsent(id.epoch(), epoch -> new HashSet<>())
                            .add(number),
                    "twice: " + id);
        }
        Set<Long> all = new HashSet<>(LongStream.range(0, order.size()).boxed().toList());
        assertEquals(all, numbersOfEpoch.get(0L));
        assertEquals(all, numbersOfEpoch.get(1L));
    }

    @Property(tries = 50)
    void sharesAreExactWithinABlockAtEveryPrefix(
            @ForAll long seed, @ForAll("mixtures") Mixture mixture, @ForAll @LongRange(max = 1L << 50) long far) {
        MixedOrder order = mixture.order(seed);
        int block = mixture.block();
        for (long first : new long[] {0, far}) {
            long[] counted = new long[order.sources()];
            for (int i = 0; i < counted.length; i++) {
                counted[i] = order.positionsOf(i, first);
            }
            for (long positions = first; positions < first + 250; positions++) {
                for (int i = 0; i < counted.length; i++) {
                    assertEquals(counted[i], order.positionsOf(i, positions));
                    // positions·count / block in whole numbers and the rest apart: doubles are not exact far out.
                    long whole = positions / block * mixture.count(i);
                    double part = (double) (positions % block) * mixture.count(i) / block;
                    double most = (double) mixture.count(i) * (block - mixture.count(i)) / block;
                    assertTrue(Math.abs(counted[i] - whole - part) <= most + 1e-9, "source " + i + " at " + positions);
                    assertEquals((double) counted[i] / mixture.size(i), order.epochs(i, positions));
                    assertEquals((double) mixture.count(i) / block, order.share(i));
                }
                counted[order.source(order.at(positions))]++;
            }
        }
    }

    @Property(tries = 50)
    void ranksOrderOfAskingAndRestartsDoNotMatter(
            @ForAll long seed,
            @ForAll("mixtures") Mixture mixture,
            @ForAll @LongRange(max = 1L << 40) long resumeAt,
            @ForAll @IntRange(min = 1, max = 9) int ranks) {
        BatchPlan plan = new BatchPlan(60, 12);
        MixedOrder order = mixture.order(seed);
        List<SampleId> sequential = new ArrayList<>();
        for (long position = resumeAt * 60; position < (resumeAt + 3) * 60; position++) {
            sequential.add(order.at(position));
        }
        Map<Long, SampleId> byRanks = new HashMap<>();
        List<Integer> inAnyOrder = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            inAnyOrder.add(rank);
        }
        Collections.shuffle(inAnyOrder, new Random(seed));
        for (int rank : inAnyOrder) {
            MixedOrder own = mixture.order(seed); // a process that starts at this position
            for (long step = resumeAt + 2; step >= resumeAt; step--) {
                for (int m = 12 * rank / ranks; m < 12 * (rank + 1) / ranks; m++) {
                    long first = plan.firstPosition(step, m);
                    for (int i = 0; i < plan.size(m); i++) {
                        byRanks.put(first + i, own.at(first + i));
                    }
                }
            }
        }
        assertEquals(180, byRanks.size());
        for (int i = 0; i < 180; i++) {
            assertEquals(sequential.get(i), byRanks.get(resumeAt * 60 + i));
        }
    }

    @Property(tries = 50)
    void anotherSourceOrWeightDoesNotChangeTheOrderWithinTheOthers(
            @ForAll long seed,
            @ForAll("mixtures") Mixture mixture,
            @ForAll @IntRange(min = 1, max = 50) int weight,
            @ForAll @LongRange(max = 1L << 40) long from) {
        MixedOrder order = mixture.order(seed);
        List<MixedOrder.Source> more = new ArrayList<>();
        more.add(new MixedOrder.Source("new", weight, new int[] {5, 6}));
        for (int i = 0; i < order.sources(); i++) {
            more.add(new MixedOrder.Source("source" + i, weight + i, mixture.counts(i)));
        }
        MixedOrder larger = new MixedOrder(seed, more, mixture.window());
        for (int i = 0; i < order.sources(); i++) {
            assertEquals("source" + i, order.name(i));
            for (long position = from; position < from + 50; position++) {
                assertEquals(order.order(i).at(position), larger.order(i + 1).at(position));
            }
        }
    }

    @Property(tries = 50)
    void substitutesStayInTheirSource(
            @ForAll long seed,
            @ForAll("mixtures") Mixture mixture,
            @ForAll @LongRange(max = 1L << 40) long position,
            @ForAll @IntRange(max = 63) int probe) {
        MixedOrder order = mixture.order(seed);
        SampleId id = order.at(position);
        CounterRandom random = CounterRandom.of(seed, id.epoch(), order.sampleNumber(id));
        SampleId substitute = order.substitute(id, random, probe);
        assertEquals(order.source(id), order.source(substitute));
        assertEquals(id.epoch(), substitute.epoch());
        assertEquals(substitute, order.sample(id.epoch(), order.sampleNumber(substitute)));
        assertTrue(probe >= 8 || substitute.shard() == id.shard());
    }
}
