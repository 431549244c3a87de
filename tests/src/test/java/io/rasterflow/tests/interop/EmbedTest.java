package io.rasterflow.tests.interop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.embed.Embedding;
import io.rasterflow.actors.embed.ImageBatches;
import io.rasterflow.actors.embed.NpyWriter;
import io.rasterflow.actors.run.DataPlan;
import io.rasterflow.model.Compute;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.AimEvaluator;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.embed.Embedder;
import io.rasterflow.model.embed.Features;
import io.rasterflow.model.optimizer.OptimizerConfig;
import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.batch.StreamConfig;
import io.rasterflow.streams.feed.FeedSourceConfig;
import io.rasterflow.streams.shard.DataConfig;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.LocalInputFile;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbedTest {
    private static final AimConfig CONFIG =
            new AimConfig(12, 4, 1, new AimConfig.Trunk(16, 3, 2), new AimConfig.Head(8, 1), 1e-6);

    /** Of the images in the parquet files. */
    private static final long[] LABELS = {9, 2, 1, 1};

    private static ActorTestKit kit;
    private static Snapshot snapshot;

    @TempDir
    Path directory;

    @BeforeAll
    static void open() {
        kit = ActorTestKit.create();
        OptimizerConfig optimizer = new OptimizerConfig(0.9, 0.95, 1e-8, 0.05, 1.0);
        try (Replica replica = Aim.replica(CONFIG, optimizer, Compute.REFERENCE)) {
            replica.initialise(5);
            snapshot = replica.snapshot();
        }
    }

    @AfterAll
    static void close() {
        kit.shutdownTestKit();
    }

    private DataPlan plan() {
        AugmentConfig augment = new AugmentConfig(12, 1, 0.4, 1, 0.75, 1.33, 0.5, 12, List.of(0.5), List.of(0.25));
        List<String> unused = List.of("unused");
        DataConfig data = DataConfig.in(directory.resolve("cache"));
        return new DataPlan(
                unused,
                Map.of(),
                new FeedSourceConfig("", 1),
                unused,
                data.cache(),
                data.storage(),
                data.curate(),
                data.labelField(),
                data.damaged(),
                augment,
                new StreamConfig(2, 2, 0.5, 1));
    }

    /** Grey noise, the same for a seed. */
    private static BufferedImage image(int seed) {
        BufferedImage image = new BufferedImage(12, 12, BufferedImage.TYPE_BYTE_GRAY);
        Random random = new Random(seed);
        for (int i = 0; i < 144; i++) {
            image.getRaster().setSample(i % 12, i / 12, 0, random.nextInt(256));
        }
        return image;
    }

    /** As the stream hands them on: (value / 255 - 0.5) / 0.25. */
    private static ByteBuffer pixels(int count) {
        ByteBuffer pixels = ByteBuffer.allocateDirect(count * 144 * Float.BYTES).order(ByteOrder.nativeOrder());
        for (int n = 0; n < count; n++) {
            BufferedImage image = image(n);
            for (int i = 0; i < 144; i++) {
                float value = image.getRaster().getSample(i % 12, i / 12, 0) / 255f;
                pixels.putFloat((n * 144 + i) * Float.BYTES, (value - 0.5f) / 0.25f);
            }
        }
        return pixels;
    }

    private Path folder(int count) throws IOException {
        Path folder = directory.resolve("images");
        for (int i = 0; i < count; i++) {
            Path file = folder.resolve(i % 2 == 0 ? "a" : "b").resolve("x" + i + ".png");
            Files.createDirectories(file.getParent());
            ImageIO.write(image(i), "png", file.toFile());
        }
        return folder;
    }

    private Path tar(Path folder, int count) throws IOException {
        Path tar = directory.resolve("shard-0.tar");
        try (TarArchiveOutputStream out = new TarArchiveOutputStream(Files.newOutputStream(tar))) {
            for (int i = 0; i < count; i++) {
                add(
                        out,
                        "k" + i + ".png",
                        Files.readAllBytes(folder.resolve((i % 2 == 0 ? "a/x" : "b/x") + i + ".png")));
                add(out, "k" + i + ".cls", Integer.toString(i).getBytes(StandardCharsets.US_ASCII));
            }
        }
        return tar;
    }

    private static void add(TarArchiveOutputStream out, String name, byte[] bytes) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(bytes.length);
        out.putArchiveEntry(entry);
        out.write(bytes);
        out.closeArchiveEntry();
    }

    private static float[] npy(Path file, String shape) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int header = Short.toUnsignedInt(bytes.getShort(8));
        String text = new String(bytes.array(), 10, header, StandardCharsets.US_ASCII);
        assertEquals((byte) 0x93, bytes.get(0));
        assertEquals(0, (10 + header) % 64);
        assertTrue(text.startsWith("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }"), text);
        float[] values = new float[(bytes.capacity() - 10 - header) / Float.BYTES];
        bytes.position(10 + header);
        bytes.asFloatBuffer().get(values);
        return values;
    }

    @Test
    void featuresAreThoseOfTheEvaluatorWhateverTheSource() throws IOException {
        int count = 7;
        Path folder = folder(count);
        float[] expected = new float[count * 16];
        try (AimEvaluator evaluator = (AimEvaluator) Aim.evaluator(CONFIG, Compute.REFERENCE)) {
            evaluator.load(snapshot);
            List<Tensor> blocks = evaluator.blockOutputs(pixels(count), count);
            for (int i = 0; i < count * 9 * 16; i++) {
                float mean =
                        (blocks.get(1).values().get(i) + blocks.get(2).values().get(i)) / 2;
                expected[i / (9 * 16) * 16 + i % 16] += mean / 9;
            }
        }
        Features features = Features.parse("1-2", Features.Pool.MEAN, CONFIG.trunk());
        List<Integer> order = List.of(0, 2, 4, 6, 1, 3, 5);
        try (Embedder embedder = new Embedder(CONFIG, Compute.REFERENCE, snapshot.weights())) {
            Path fromTar = directory.resolve("tar.npy");
            List<Long> progress = new ArrayList<>();
            try (ImageBatches source =
                    ImageBatches.open(kit.system(), List.of(tar(folder, count).toString()), plan(), 3)) {
                Embedding.Report report =
                        Embedding.write(source, embedder, features, new long[] {16}, fromTar, progress::add);
                assertEquals(count, report.images());
                assertEquals(0, report.bad());
            }
            assertEquals(List.of(3L, 6L, 7L), progress);
            assertArrayEquals(expected, npy(fromTar, "(7, 16)"), 1e-5f);
            assertEquals(
                    "k6", Files.readAllLines(directory.resolve("tar.keys.txt")).get(6));

            Path fromFolder = directory.resolve("folder.npy");
            try (ImageBatches source = ImageBatches.open(kit.system(), List.of(folder.toString()), plan(), 2)) {
                Embedding.write(source, embedder, features, new long[] {16}, fromFolder, done -> {});
            }
            float[] found = npy(fromFolder, "(7, 16)");
            for (int i = 0; i < count; i++) {
                for (int c = 0; c < 16; c++) {
                    assertEquals(expected[order.get(i) * 16 + c], found[i * 16 + c], 1e-5f);
                }
            }
            List<String> keys = Files.readAllLines(directory.resolve("folder.keys.txt"));
            assertEquals("a/x0.png", keys.get(0));
            assertEquals("b/x5.png", keys.get(6));
            byte[] labels = Files.readAllBytes(directory.resolve("folder.labels.npy"));
            assertEquals(0, labels[labels.length - 4 * 8]);
            assertEquals(1, labels[labels.length - 8]);
        }
    }

    @Test
    void anImageThatCannotBeDecodedIsNamedAndHasNoFeatures() throws IOException {
        Path folder = folder(5);
        Files.writeString(folder.resolve("a/x2.png"), "no image");
        Path out = directory.resolve("f.npy");
        try (Embedder embedder = new Embedder(CONFIG, Compute.REFERENCE, snapshot.weights());
                ImageBatches source = ImageBatches.open(kit.system(), List.of(folder.toString()), plan(), 4)) {
            Features features = Features.parse("final", Features.Pool.NONE, CONFIG.trunk());
            Embedding.Report report = Embedding.write(source, embedder, features, new long[] {9, 16}, out, done -> {});
            assertEquals(1, report.bad());
            assertTrue(
                    report.causes().get(0).contains("x2.png"), report.causes().toString());
        }
        float[] values = npy(out, "(5, 9, 16)");
        for (int i = 0; i < values.length; i++) {
            assertEquals(i / (9 * 16) == 1, Float.isNaN(values[i]), "value " + i);
        }
    }

    /** Five images written by pyarrow in the layout of Hugging Face; the fourth is none, the fifth has no label. */
    @ParameterizedTest
    @ValueSource(strings = {"snappy", "zstd"})
    void parquetComesInAndGoesOut(String codec) throws IOException {
        String file = Path.of("src/test/resources/parquet/huggingface-" + codec + ".parquet")
                .toString();
        Features features = Features.parse("last2", Features.Pool.MEAN, CONFIG.trunk());
        Path npy = directory.resolve("f.npy");
        Path parquet = directory.resolve("f.parquet");
        try (Embedder embedder = new Embedder(CONFIG, Compute.REFERENCE, snapshot.weights())) {
            for (Path out : List.of(npy, parquet)) {
                try (ImageBatches source = ImageBatches.open(kit.system(), List.of(file, file), plan(), 3)) {
                    Embedding.Report report =
                            Embedding.write(source, embedder, features, new long[] {16}, out, done -> {});
                    assertEquals(10, report.images());
                    assertEquals(2, report.bad());
                    assertTrue(
                            report.causes().get(0).contains("3 in " + file),
                            report.causes().toString());
                }
            }
        }
        float[] expected = npy(npy, "(10, 16)");
        assertEquals(
                List.of("00000000", "00000001", "00000002", "00000003", "00000004"),
                Files.readAllLines(directory.resolve("f.keys.txt")).subList(0, 5));
        List<Group> rows = rows(parquet);
        assertEquals(10, rows.size());
        for (int i = 0; i < rows.size(); i++) {
            Group row = rows.get(i);
            assertEquals(i % 5 == 4 ? 0 : 1, row.getFieldRepetitionCount("label"));
            if (i % 5 != 4) {
                assertEquals(LABELS[i % 5], row.getLong("label", 0));
            }
            assertEquals(i % 5 == 3 ? 0 : 1, row.getFieldRepetitionCount("features"));
            for (int c = 0; c < 16 && i % 5 != 3; c++) {
                float found = row.getGroup("features", 0).getGroup("list", c).getFloat("element", 0);
                assertEquals(expected[i * 16 + c], found);
            }
        }
    }

    private static List<Group> rows(Path parquet) throws IOException {
        List<Group> rows = new ArrayList<>();
        InputFile file = new LocalInputFile(parquet);
        try (ParquetReader<Group> reader = new ParquetReader.Builder<Group>(file, new PlainParquetConfiguration()) {
            @Override
            protected ReadSupport<Group> getReadSupport() {
                return new GroupReadSupport();
            }
        }.build()) {
            for (Group row = reader.read(); row != null; row = reader.read()) {
                rows.add(row);
            }
        }
        return rows;
    }

    @Test
    void parquetThatIsNoneOrCutOrWithoutImagesIsRefusedInOneLine() throws IOException {
        byte[] whole = Files.readAllBytes(Path.of("src/test/resources/parquet/huggingface-snappy.parquet"));
        Path file = directory.resolve("x.parquet");
        for (byte[] content : List.of(
                "no parquet".getBytes(StandardCharsets.US_ASCII),
                new byte[0],
                Arrays.copyOf(whole, whole.length / 2))) {
            Files.write(file, content);
            IOException refused = assertThrows(
                    IOException.class, () -> ImageBatches.open(kit.system(), List.of(file.toString()), plan(), 3));
            assertTrue(refused.getMessage().startsWith(file + " at byte "), refused.getMessage());
            assertEquals(1, refused.getMessage().lines().count());
        }
        byte[] damaged = whole.clone();
        Arrays.fill(damaged, 40, 400, (byte) 0x5A);
        Files.write(file, damaged);
        IOException refused = assertThrows(
                IOException.class, () -> ImageBatches.open(kit.system(), List.of(file.toString()), plan(), 3));
        assertTrue(refused.getMessage().contains("row 0 cannot be read"), refused.getMessage());
    }

    @Test
    void layersAreChosenByWord() {
        assertEquals(
                List.of(1, 2),
                Features.parse("last2", Features.Pool.MEAN, CONFIG.trunk()).layers());
        assertEquals(
                List.of(0, 1, 2),
                Features.parse("last6", Features.Pool.MEAN, CONFIG.trunk()).layers());
        assertEquals(
                List.of(0, 1, 2),
                Features.parse("1-2,0", Features.Pool.MEAN, CONFIG.trunk()).layers());
        assertTrue(Features.parse("final", Features.Pool.MEAN, CONFIG.trunk()).normed());
        for (String wrong : new String[] {"", "3", "2-1", "last0", "last", "-1", "0,,1", "99999999999", "each"}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> Features.parse(wrong, Features.Pool.MEAN, CONFIG.trunk()),
                    wrong);
        }
    }

    @Test
    void anArrayThatIsNotFullNeverAppears() throws IOException {
        Path file = directory.resolve("half.npy");
        try (NpyWriter writer = NpyWriter.floats(file, 2, 2)) {
            writer.write(new float[3]);
            assertThrows(IOException.class, writer::finish);
            assertThrows(IllegalArgumentException.class, () -> writer.write(new float[2]));
        }
        try (var files = Files.list(directory)) {
            assertEquals(0, files.count());
        }
    }
}
