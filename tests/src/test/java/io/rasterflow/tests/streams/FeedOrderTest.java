package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.feed.FeedOrder;
import io.rasterflow.streams.order.CounterRandom;
import io.rasterflow.streams.order.SampleId;
import java.util.stream.LongStream;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class FeedOrderTest {

    @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
    void everyWindowIsCoveredExactlyOnce(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 60) int shardSamples,
            @ForAll @IntRange(min = 1, max = 7) int windowShards,
            @ForAll @LongRange(min = 0, max = 1L << 40) long window) {
        FeedOrder order = new FeedOrder(seed, shardSamples, windowShards);
        int size = shardSamples * windowShards;
        long first = window * size;
        long[] covered = LongStream.range(first, first + size)
                .map(order::sequence)
                .sorted()
                .toArray();
        assertArrayEquals(LongStream.range(first, first + size).toArray(), covered);
        assertEquals(window * windowShards, order.firstShard(first));
        assertEquals(window * windowShards, order.firstShard(first + size - 1));
        assertEquals(first, order.firstPosition(window * windowShards));
        assertEquals(first + size, order.firstPosition(window * windowShards + 1));
    }

    @Property(tries = 100)
    void aSubstituteComesFromTheSameWindow(
            @ForAll long seed, @ForAll @LongRange(min = 0, max = 1L << 36) long position) {
        FeedOrder order = new FeedOrder(seed, 100, 3);
        SampleId id = order.at(position);
        assertEquals(order.sequence(position), order.sampleNumber(id));
        assertEquals(id, order.sample(0, order.sampleNumber(id)));
        CounterRandom random = CounterRandom.of(seed, 0, order.sampleNumber(id));
        for (int probe = 0; probe < 16; probe++) {
            assertEquals(position / 300, order.substitute(id, random, probe).shard() / 3);
        }
        int first = (int) order.firstShard(position);
        assertArrayEquals(new int[] {first, first + 1, first + 2, first + 3}, order.upcoming(position, 1));
        assertEquals(position, order.positionsOf(0, position));
    }

    @Test
    void windowsAndSeedsDifferAndAreMixed() {
        FeedOrder order = new FeedOrder(1, 1_000, 4);
        FeedOrder other = new FeedOrder(2, 1_000, 4);
        assertNotEquals(
                LongStream.range(0, 4_000).map(order::sequence).boxed().toList(),
                LongStream.range(0, 4_000).map(other::sequence).boxed().toList());
        assertNotEquals(
                LongStream.range(0, 4_000).map(order::sequence).boxed().toList(),
                LongStream.range(4_000, 8_000)
                        .map(position -> order.sequence(position) - 4_000)
                        .boxed()
                        .toList());
        double distance = LongStream.range(0, 4_000)
                .map(position -> Math.abs(order.sequence(position) - position))
                .average()
                .orElseThrow();
        assertTrue(distance > 1_200 && distance < 1_470, "a full shuffle has 1333, this one " + distance);
    }

    /** A change here would break the resumption of runs. */
    @Test
    void theOrderIsFrozen() {
        FeedOrder order = new FeedOrder(7, 1_000, 16);
        assertArrayEquals(
                new long[] {13170L, 14298L, 11446L, 7946L, 29113L, 1000000006937L},
                LongStream.of(0, 1, 2, 15_999, 16_000, 1_000_000_000_000L)
                        .map(order::sequence)
                        .toArray());
    }

    @Test
    void nonsenseIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new FeedOrder(0, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> new FeedOrder(0, 1, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> new FeedOrder(0, 1, 1).sequence(-1));
    }
}
