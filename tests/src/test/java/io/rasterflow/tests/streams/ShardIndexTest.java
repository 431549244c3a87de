package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.rasterflow.streams.curate.NearDuplicate;
import io.rasterflow.streams.curate.Scan;
import io.rasterflow.streams.format.Damage;
import io.rasterflow.streams.format.SampleEntry;
import io.rasterflow.streams.shard.ShardIndex;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The index of a shard, in memory and on disk. */
class ShardIndexTest {

    private static final List<SampleEntry> SAMPLES = List.of(
            new SampleEntry("a/ü", 512, 7, 3),
            new SampleEntry("", 1L << 40, Integer.MAX_VALUE - 8, -1),
            new SampleEntry("long".repeat(300), 2048, 0, 1_000_000));

    @TempDir
    Path folder;

    @Test
    void everythingComesBack() throws IOException {
        Scan scan = new Scan(
                SAMPLES,
                new TreeMap<>(Map.of("small", 12, "no field é", 1)),
                List.of(new NearDuplicate("a/ü", "b", 7), new NearDuplicate("c", "", 0)),
                Optional.of(new Damage(4096, "it ends", "fetch it")));
        ShardIndex index = ShardIndex.of(scan, 1L << 41, -7);
        for (ShardIndex each : List.of(index, writtenAndRead(index))) {
            assertEquals(3, each.count());
            for (int i = 0; i < 3; i++) {
                assertEquals(SAMPLES.get(i), each.entry(i));
            }
            assertThrows(IndexOutOfBoundsException.class, () -> each.entry(3));
            assertEquals(1L << 41, each.tarBytes());
            assertEquals(-7, each.fingerprint());
            assertEquals(scan.leftOut(), each.leftOut());
            assertEquals(scan.duplicates(), each.duplicates());
            assertEquals(scan.damage(), each.damage());
        }
    }

    @Test
    void anIndexOfAnOlderProgramKnowsNoPairs() throws IOException {
        byte[] bytes = bytes(ShardIndex.of(
                new Scan(SAMPLES, new TreeMap<>(Map.of("duplicate", 2)), List.of(), Optional.empty()), 2048, 1));
        ByteBuffer older = ByteBuffer.wrap(Arrays.copyOf(bytes, bytes.length - Integer.BYTES));
        CRC32 crc = new CRC32();
        crc.update(older.array(), 0, older.capacity() - Integer.BYTES);
        older.putInt(older.capacity() - Integer.BYTES, (int) crc.getValue());
        ShardIndex index = ShardIndex.readOrNull(Files.write(folder.resolve("older.idx"), older.array()));
        assertEquals(Map.of("duplicate", 2), index.leftOut());
        assertEquals(List.of(), index.duplicates());
    }

    @Test
    void anEmptyShardHasAnIndexToo() throws IOException {
        ShardIndex index = writtenAndRead(ShardIndex.of(
                new Scan(List.of(), new TreeMap<>(Map.of("no image", 2)), List.of(), Optional.empty()), 1024, 1));
        assertEquals(0, index.count());
        assertEquals(Map.of("no image", 2), index.leftOut());
        assertEquals(Optional.empty(), index.damage());
    }

    @Test
    void aDamagedIndexIsNone() throws IOException {
        Path file = folder.resolve("i.idx");
        assertNull(ShardIndex.readOrNull(file));
        byte[] bytes = bytes(ShardIndex.of(
                new Scan(SAMPLES.subList(0, 1), new TreeMap<>(Map.of("small", 1)), List.of(), Optional.empty()),
                2048,
                1));
        for (int i = 0; i < bytes.length; i++) {
            assertNull(ShardIndex.readOrNull(Files.write(file, Arrays.copyOf(bytes, i))), "cut at " + i);
            byte[] wrong = bytes.clone();
            wrong[i] ^= 4;
            assertNull(ShardIndex.readOrNull(Files.write(file, wrong)), "wrong at " + i);
        }
        assertNotNull(ShardIndex.readOrNull(Files.write(file, bytes)));
    }

    private ShardIndex writtenAndRead(ShardIndex index) throws IOException {
        return ShardIndex.readOrNull(Files.write(folder.resolve("w.idx"), bytes(index)));
    }

    private static byte[] bytes(ShardIndex index) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        index.write(out);
        return out.toByteArray();
    }
}
