package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.ZstdOutputStream;
import io.rasterflow.streams.curate.Scan;
import io.rasterflow.streams.curate.ShardScanner;
import io.rasterflow.streams.format.Damage;
import io.rasterflow.streams.format.IdxTar;
import io.rasterflow.streams.format.ShardFormat;
import io.rasterflow.streams.format.ShardFormatException;
import io.rasterflow.tests.Paired;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a shard is, it becomes a tar; what is damaged says where. */
@Paired
class ShardFormatTest {

    @TempDir
    Path folder;

    private byte[] tar;

    @BeforeEach
    void tar() throws IOException {
        tar = Files.readAllBytes(TestData.tarWithBroken(folder.resolve("whole.tar"), 0, 6, Map.of()));
    }

    @Test
    void formatsAreToldByTheirBytes() throws IOException {
        assertEquals(ShardFormat.TAR, detect(tar));
        assertTrue(ShardFormat.TAR.plain());
        assertEquals(ShardFormat.TAR, detect(new byte[1024]), "an empty tar");
        assertEquals(ShardFormat.TAR_GZ, detect(gzip(tar)));
        assertEquals(ShardFormat.TAR_ZST, detect(zstd(tar, 0)));
        assertEquals(ShardFormat.TAR_ZST, detect(skippable(20)));
        assertEquals(ShardFormat.PARQUET, detect(Files.readAllBytes(Found.fixture("plain.parquet"))));
        List<Path> idx = TestData.idx(folder, 3, false);
        assertEquals(ShardFormat.IDX, detect(Files.readAllBytes(idx.get(0))));
        assertEquals(ShardFormat.IDX, detect(gzip(Files.readAllBytes(idx.get(0)))));
        assertFalse(ShardFormat.IDX.plain());
    }

    @Test
    void whatIsNoShardIsNamed() throws IOException {
        List<Path> idx = TestData.idx(folder, 3, true);
        Map<byte[], String> files = Map.of(
                new byte[0],
                "the file is empty",
                TestData.text("<!DOCTYPE html><html>"),
                "begins with '<!DOCTYPE html><'; this looks like a page",
                TestData.text("{\"error\": 403}"),
                "this looks like a page",
                new byte[] {(byte) 0xFF, (byte) 0xD8, 1, 2, 3, 4},
                "begins with '??????'; the shard",
                Arrays.copyOf(tar, 300),
                "it is no tar, gzip",
                Files.readAllBytes(idx.get(1)),
                "these are IDX labels");
        for (Map.Entry<byte[], String> file : files.entrySet()) {
            ShardFormatException e = assertThrows(ShardFormatException.class, () -> detect(file.getKey()));
            assertTrue(e.getMessage().startsWith("shard at byte 0: "), e.getMessage());
            assertTrue(e.getMessage().contains(file.getValue()), e.getMessage());
        }
    }

    @Test
    void gzipOfManyMembersIsOneTar() throws IOException {
        byte[] members = concat(
                gzip(Arrays.copyOf(tar, 1000)), gzip(new byte[0]), gzip(Arrays.copyOfRange(tar, 1000, tar.length)));
        assertArrayEquals(tar, expand(members));
        assertArrayEquals(tar, expand(concat(members, new byte[3000])), "zero padding");
        assertArrayEquals(tar, expand(namedMember(tar)));
        Damage garbage = salvage(concat(members, TestData.text("more")), new ByteArrayOutputStream());
        assertEquals(new Damage(tar.length, "bytes that are no gzip member", garbage.advice()), garbage);
    }

    /** A member with every optional part of the header. */
    private static byte[] namedMember(byte[] content) throws IOException {
        byte[] member = gzip(content);
        byte[] optional = concat(new byte[] {3, 0, 'x', 'y', 'z'}, TestData.text("name.tar\0comment\0"), new byte[2]);
        byte[] header = Arrays.copyOf(member, 10);
        header[3] = 2 | 4 | 8 | 16;
        return concat(header, optional, Arrays.copyOfRange(member, 10, member.length));
    }

    @Test
    void zstdOfManyFramesIsOneTar() throws IOException {
        byte[] frames = concat(
                skippable(5),
                zstd(Arrays.copyOf(tar, 1000), 0),
                skippable(0),
                zstd(Arrays.copyOfRange(tar, 1000, tar.length), 27));
        assertArrayEquals(tar, expand(frames));
        byte[] large = new byte[3_000_000];
        new Random(3).nextBytes(large);
        System.arraycopy(tar, 0, large, 0, tar.length);
        assertArrayEquals(large, expand(zstd(large, 0)), "more than a buffer");
        Damage garbage = salvage(concat(frames, TestData.text("more")), new ByteArrayOutputStream());
        assertEquals(new Damage(tar.length, "bytes that are no zstd frame", garbage.advice()), garbage);
    }

    @Test
    void zstdThatNeedsTooMuchMemoryIsRefused() throws IOException {
        byte[] far = zstd(tar, 0);
        // Frame header descriptor with a window descriptor instead of a single segment: 2^31 bytes.
        byte[] header = {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD, 0x00, (byte) ((31 - 10) << 3), 1, 0, 0};
        ShardFormatException e = assertThrows(ShardFormatException.class, () -> expand(concat(header, far)));
        assertTrue(e.getMessage().contains("looks back further than 128 MiB; compress"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "zstd"})
    void aCutCompressedShardGivesTheSamplesBeforeTheCut(String kind) throws IOException {
        byte[] shard = kind.equals("gzip") ? gzip(tar) : concat(zstd(tar, 0), zstd(new byte[512], 0));
        int most = 0;
        for (int cut = 20; cut < shard.length; cut += 41) {
            byte[] bytes = Arrays.copyOf(shard, cut);
            ShardFormatException e = assertThrows(ShardFormatException.class, () -> expand(bytes));
            assertTrue(e.getMessage().startsWith("shard at byte "), e.getMessage());
            assertTrue(e.getMessage().contains("stream is cut short"), e.getMessage());
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            Damage damage = salvage(bytes, out);
            assertEquals(out.size(), damage.offset());
            Path half = Files.write(folder.resolve("half.tar"), out.toByteArray());
            Scan scan = ShardScanner.ofEverything().salvage(half, "shard", Optional.of(damage));
            for (int i = 0; i < scan.samples().size(); i++) {
                assertArrayEquals(
                        TestData.png(TestData.pixels(i)),
                        Found.image(half, scan.samples().get(i)));
                assertEquals(i, scan.samples().get(i).label());
            }
            assertEquals(damage, scan.damage().orElseThrow());
            most = Math.max(most, scan.samples().size());
        }
        assertTrue(most >= 5, most + " samples");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "zstd"})
    void aWrongByteCostsItsMemberOnly(String kind) throws IOException {
        int sample = 512 + 512 + 512 + 1024;
        byte[] first = Arrays.copyOf(tar, 2 * sample);
        byte[] second = Arrays.copyOfRange(tar, 2 * sample, tar.length);
        byte[] head = kind.equals("gzip") ? gzip(first) : zstd(first, 0);
        byte[] tail = kind.equals("gzip") ? gzip(second) : zstd(second, 0);
        tail[tail.length - 6] ^= 1;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Damage damage = salvage(concat(head, tail), out);
        assertEquals(2 * sample, damage.offset());
        assertTrue(damage.fault().matches("the (gzip|zstd) stream .*(checksum|broken).*"), damage.fault());
        Path file = Files.write(folder.resolve("half.tar"), out.toByteArray());
        Scan scan = ShardScanner.ofEverything().salvage(file, "shard", Optional.of(damage));
        assertEquals(List.of("0000"), Found.keys(scan), "0001 may have gone on behind the damage");
        assertEquals(Map.of("cut short", 1), scan.leftOut());
    }

    @Test
    void mutatedShardsEndWithALineOrATar() throws IOException {
        List<byte[]> shards = List.of(
                gzip(tar),
                zstd(tar, 0),
                Files.readAllBytes(TestData.idx(folder, 6, true).get(0)),
                Files.readAllBytes(Found.fixture("fields-snappy.parquet")),
                Files.readAllBytes(Found.fixture("fields-zstd.parquet")));
        Random random = new Random(2);
        int refused = 0;
        for (int i = 0; i < 1_000; i++) {
            byte[] bytes = shards.get(i % shards.size()).clone();
            for (int flips = random.nextInt(3); flips >= 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            try {
                expand(bytes);
            } catch (ShardFormatException e) {
                assertFalse(e.getMessage().contains("\n"), e.getMessage());
                refused++;
            }
        }
        assertTrue(refused > 300, refused + " of 1000 were refused");
    }

    @Test
    void idxBecomesATarWithTheLabelsBesideIt() throws IOException {
        for (boolean gzip : new boolean[] {false, true}) {
            Path images = TestData.idx(folder, 12, gzip).get(0);
            Path out = expandTo(images);
            Scan scan = ShardScanner.ofEverything().scan(out, "idx");
            assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1), Found.labels(scan));
            assertEquals("00000011", Found.keys(scan).get(11));
        }
        Path lonely = Files.move(folder.resolve("images-idx3-ubyte"), folder.resolve("other-images-idx3-ubyte"));
        assertEquals(
                -1,
                Found.labels(ShardScanner.ofEverything().scan(expandTo(lonely), "idx"))
                        .get(3));
        Files.write(
                folder.resolve("other-labels-idx1-ubyte"),
                ByteBuffer.allocate(9).putInt(0x801).putInt(1).array());
        ShardFormatException e = assertThrows(ShardFormatException.class, () -> expandTo(lonely));
        assertTrue(e.getMessage().contains("12 images but 1 labels in "), e.getMessage());
        assertEquals(
                List.of("s3://b/t-labels-idx1-ubyte.gz", "s3://b/t-labels-idx1-ubyte"),
                IdxTar.labelNames("s3://b/t-images-idx3-ubyte.gz"));
        assertEquals(List.of(), IdxTar.labelNames("images/x"));
    }

    @Test
    void aCutIdxGivesTheImagesBeforeTheCut() throws IOException {
        Path images = TestData.idx(folder, 12, false).get(0);
        byte[] bytes = Files.readAllBytes(images);
        Files.write(images, Arrays.copyOf(bytes, 16 + 5 * 784 + 100));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Damage damage = ShardFormat.IDX.salvage(images, "idx", out).orElseThrow();
        Path file = Files.write(folder.resolve("cut.tar"), out.toByteArray());
        Scan scan = ShardScanner.ofEverything().salvage(file, "idx", Optional.of(damage));
        assertTrue(damage.fault().startsWith("the file ends after 5 items"), damage.fault());
        assertEquals(List.of(0, 1, 2, 3, 4), Found.labels(scan));
        assertThrows(ShardFormatException.class, () -> expandTo(images));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "lz4", "none", "snappy", "zstd"})
    void parquetBecomesATarWithItsColumnsAsFields(String codec) throws IOException {
        Path file = expandTo(Found.fixture("fields-" + codec + ".parquet"));
        Scan scan = ShardScanner.ofEverything().scan(file, codec);
        assertEquals(List.of(0, 1, 2, 3, 4, -1, -1), Found.labels(scan));
        assertEquals("00000006", Found.keys(scan).get(6));
        assertEquals(0, scan.samples().get(4).length(), "a row without an image is found where it is decoded");
        byte[] jpeg = Found.image(file, scan.samples().get(1));
        assertEquals(0xD8, jpeg[1] & 0xFF);
        String text = new String(Files.readAllBytes(file), java.nio.charset.StandardCharsets.ISO_8859_1);
        assertTrue(text.contains("\"caption\":\"two dogs on a sofa\""));
        assertTrue(text.contains("\"meta.source\":\"web\""));
        assertTrue(text.contains("\"nsfw\":true"));
        assertTrue(text.contains("00000001.jpg") && text.contains("00000002.png"));
    }

    @Test
    void otherParquetColumnsAreFoundOrNamed() throws IOException {
        Scan scan = ShardScanner.ofEverything().scan(expandTo(Found.fixture("plain.parquet")), "p");
        assertEquals(List.of(0, 0, 1), Found.labels(scan));
        ShardFormatException e =
                assertThrows(ShardFormatException.class, () -> expandTo(Found.fixture("no-images.parquet")));
        assertTrue(e.getMessage().contains("it has no column image {bytes, path} but [text]"), e.getMessage());
        byte[] whole = Files.readAllBytes(Found.fixture("plain.parquet"));
        assertThrows(ShardFormatException.class, () -> expand(Arrays.copyOf(whole, whole.length - 9)));
    }

    private ShardFormat detect(byte[] bytes) throws IOException {
        return ShardFormat.detect(Files.write(folder.resolve("detected"), bytes), "shard");
    }

    private byte[] expand(byte[] shard) throws IOException {
        Path file = Files.write(folder.resolve("expanded"), shard);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ShardFormat.detect(file, "shard").expand(file, "shard", out);
        return out.toByteArray();
    }

    private Path expandTo(Path shard) throws IOException {
        Path tar = folder.resolve("expanded.tar");
        try (OutputStream out = Files.newOutputStream(tar)) {
            ShardFormat.detect(shard, shard.toString()).expand(shard, shard.toString(), out);
        }
        return tar;
    }

    private Damage salvage(byte[] shard, OutputStream out) throws IOException {
        Path file = Files.write(folder.resolve("salvaged"), shard);
        return ShardFormat.detect(file, "shard").salvage(file, "shard", out).orElseThrow();
    }

    private static byte[] gzip(byte[] content) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(content);
        }
        return out.toByteArray();
    }

    private static byte[] zstd(byte[] content, int longWindow) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZstdOutputStream zstd = new ZstdOutputStream(out)) {
            zstd.setChecksum(true);
            zstd.setLong(longWindow);
            zstd.write(content);
        }
        return out.toByteArray();
    }

    /** A frame that decoders skip, as pzstd and seekable archives have them. */
    private static byte[] skippable(int length) {
        return ByteBuffer.allocate(8 + length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0x184D2A50)
                .putInt(length)
                .array();
    }

    private static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
