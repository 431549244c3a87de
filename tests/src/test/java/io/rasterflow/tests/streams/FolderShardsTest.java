package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.curate.CurationConfig;
import io.rasterflow.streams.curate.CurationConfig.NearDuplicates;
import io.rasterflow.streams.curate.Scan;
import io.rasterflow.streams.curate.ShardScanner;
import io.rasterflow.streams.format.FolderShards;
import io.rasterflow.streams.format.FolderSlice;
import io.rasterflow.streams.format.LabelRule;
import io.rasterflow.streams.format.SampleEntry;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders of image files as slices. */
class FolderShardsTest {

    @TempDir
    Path folder;

    @Test
    void foldersOfARootAreItsClasses() throws IOException {
        for (String name : List.of("zebra/2.png", "zebra/1.JPG", "cat/deep/er/x.webp", "cat/a.b.gif", "dog/ü.jpeg")) {
            write(name, name.length());
        }
        write("empty/readme.txt", 3);
        write("cat/.hidden.png", 3);
        write(".git/x.png", 3);
        write("notes.txt", 3);
        FolderShards shards = FolderShards.list(folder, 2, List.of());
        assertEquals(List.of("cat", "dog", "zebra"), shards.classNames());
        assertEquals(
                List.of("cat/a.b.gif", "cat/deep/er/x.webp", "dog/ü.jpeg", "zebra/1.JPG", "zebra/2.png"), keys(shards));
        assertEquals(List.of(2, 2, 1), sizes(shards));
        assertEquals(5, shards.size());
        SampleEntry last = shards.slices().get(2).entries().get(0);
        assertEquals(new SampleEntry("zebra/2.png", 0, "zebra/2.png".length(), 2), last);
        assertEquals(Map.of("hidden", 2, "no image", 2), shards.leftOut());
        assertThrows(
                IndexOutOfBoundsException.class,
                () -> shards.slices().get(2).entries().get(1));
    }

    @Test
    void aValidationSetMayHaveTheLabelsOfItsTrainingSet() throws IOException {
        write("dog/1.png", 3);
        FolderShards shards = FolderShards.list(folder, 10, List.of("cat", "dog"));
        assertEquals(1, shards.slices().get(0).entries().get(0).label());
        write("bird/1.png", 3);
        IOException e = assertThrows(IOException.class, () -> FolderShards.list(folder, 10, List.of("cat", "dog")));
        assertTrue(e.getMessage().contains("bird is none of the classes [cat, dog]"), e.getMessage());
    }

    @Test
    void imagesInTheRootHaveNoLabels() throws IOException {
        write("b.png", 3);
        write("a/c.png", 3);
        FolderShards shards = FolderShards.list(folder);
        assertEquals(List.of("a/c.png", "b.png"), keys(shards));
        assertEquals(List.of(), shards.classNames());
        assertEquals(-1, shards.slices().get(0).entries().get(0).label());
        assertThrows(IOException.class, () -> FolderShards.list(folder, 10, List.of("a")));
        assertThrows(FileNotFoundException.class, () -> FolderShards.list(folder.resolve("none")));
    }

    @Test
    void linksStayInside() throws IOException {
        write("outside/x.png", 9);
        write("root/in/a.png", 3);
        Path root = folder.resolve("root");
        Path in = root.resolve("in");
        Files.createSymbolicLink(in.resolve("inside.png"), Path.of("a.png"));
        Files.createSymbolicLink(in.resolve("out.png"), folder.resolve("outside/x.png"));
        Files.createSymbolicLink(in.resolve("loop"), root);
        Files.createSymbolicLink(in.resolve("dangling.png"), Path.of("nothing"));
        Files.createSymbolicLink(in.resolve("self.png"), Path.of("self.png"));
        FolderShards shards = FolderShards.list(root);
        assertEquals(List.of("in/a.png", "in/inside.png"), keys(shards));
        assertEquals(3, shards.slices().get(0).entries().get(1).length());
        assertEquals(Map.of("broken link", 2, "link out of the folder", 1, "link to a folder", 1), shards.leftOut());
    }

    @Test
    void slicesAreCuratedLikeShards() throws IOException {
        for (int i = 0; i < 4; i++) {
            Files.write(folder.resolve(i + ".png"), TestData.png(TestData.pixels(i)));
        }
        write("broken.png", 3);
        CurationConfig config = new CurationConfig(29, 0, 0, 0, List.of(), List.of(), new NearDuplicates(0, 0));
        FolderSlice slice = FolderShards.list(folder).slices().get(0);
        assertArrayEquals(
                TestData.png(TestData.pixels(2)),
                Files.readAllBytes(slice.file(slice.entries().get(2))));
        Scan scan = new ShardScanner(config, LabelRule.usual()).scan(slice);
        assertEquals(Map.of("small", 4), scan.leftOut());
        assertEquals(List.of("broken.png"), Found.keys(scan), "what has no header is found where it is decoded");
    }

    @Test
    void manyFilesKeepTheirOrder() throws IOException {
        for (int i = 0; i < 3_000; i++) {
            Files.createFile(folder.resolve(String.format("%05d.png", i * 7919 % 3_000)));
        }
        FolderShards shards = FolderShards.list(folder, 1_000, List.of());
        assertEquals(List.of(1_000, 1_000, 1_000), sizes(shards));
        List<String> keys = keys(shards);
        assertEquals("00000.png", keys.get(0));
        assertEquals(keys.stream().sorted().toList(), keys);
    }

    private void write(String name, int bytes) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, new byte[bytes]);
    }

    private static List<String> keys(FolderShards shards) {
        List<String> keys = new ArrayList<>();
        shards.slices().forEach(slice -> slice.entries().forEach(entry -> keys.add(entry.key())));
        return keys;
    }

    private static List<Integer> sizes(FolderShards shards) {
        return shards.slices().stream().map(slice -> slice.entries().size()).toList();
    }
}
