package io.rasterflow.tests.streams.storage;

import static io.rasterflow.tests.streams.storage.Storages.assertSays;
import static io.rasterflow.tests.streams.storage.Storages.fails;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.storage.ObjectInfo;
import io.rasterflow.streams.storage.Storage;
import io.rasterflow.streams.storage.StorageConfig;
import io.rasterflow.streams.storage.StorageException.Kind;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files as a source, how places are written, and the configuration. */
class FileStorageTest {

    private static final byte[] OBJECT = Storages.bytes(1_000_003, 1);

    @TempDir
    private Path folder;

    private final Storage storage = new Storage(Storages.quick(3));

    @Test
    void aFileIsListedAndFetched() throws IOException {
        Path data = Files.createDirectories(folder.resolve("data ä#%"));
        Files.createDirectories(data.resolve("deeper"));
        Files.write(data.resolve("b.tar"), OBJECT);
        Files.write(data.resolve("a.tar"), new byte[0]);
        List<URI> listed = storage.list(Storage.uri(data.toString()));
        assertEquals(
                List.of(data.resolve("a.tar").toUri(), data.resolve("b.tar").toUri()), listed);
        Path part = folder.resolve("part");
        storage.fetch(storage.stat(listed.get(1)), part);
        assertArrayEquals(OBJECT, Files.readAllBytes(part));
        storage.fetch(storage.stat(listed.get(0)), part);
        assertEquals(0, Files.size(part));
        assertEquals(OBJECT.length, storage.metrics().stores().get("file:").bytes());
    }

    @Test
    void aReplacedFileIsNamed() throws IOException {
        Path file = Files.write(folder.resolve("a.tar"), OBJECT);
        ObjectInfo object = storage.stat(file.toUri());
        Files.write(file, new byte[1], StandardOpenOption.APPEND);
        assertSays(
                fails(Kind.CHANGED, () -> storage.fetch(object, folder.resolve("part"))),
                "cannot read " + file + ": it was replaced while in use");
    }

    @Test
    void whatIsNoFileIsNamed() {
        assertSays(
                fails(Kind.MISSING, () -> storage.stat(folder.resolve("none").toUri())),
                "cannot read " + folder.resolve("none") + ": there is no such file; check the path");
        assertSays(fails(Kind.OTHER, () -> storage.stat(folder.toUri())), "it is a folder");
        fails(Kind.MISSING, () -> storage.list(folder.resolve("none").toUri()));
        fails(Kind.OTHER, () -> storage.stat(URI.create("file://host/a")));
        assertSays(
                fails(Kind.OTHER, () -> storage.stat(URI.create("ftp://host/a"))),
                "the scheme ftp is not known; use a path");
    }

    @ParameterizedTest
    @CsvSource({
        "s3://bucket/a b%20c#d?e, s3://bucket/a%20b%2520c%23d%3Fe",
        "s3://under_score, s3://under_score/",
        "http://host:80/a b.tar?x=1, http://host:80/a%20b.tar?x=1",
        "https://host/a%20b, https://host/a%20b",
        "file:///a b, file:///a%20b",
        "/a b#c, file:///a%20b%23c"
    })
    void placesAreReadAsUsersWriteThem(String text, String uri) {
        assertEquals(uri, Storage.uri(text).toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://host/a", "s3:///key", "s3:bucket", " ", "http://user:se/cret@host:x/[a"})
    void otherPlacesAreRefusedInOneLine(String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> Storage.uri(text))
                .getMessage();
        assertEquals(1, message.lines().count());
        assertTrue(message.contains("s3:"), message);
        assertTrue(!message.contains("cret"), message);
    }

    @Test
    void settingsAreChecked() {
        assertSays(
                assertThrows(IllegalArgumentException.class, () -> Storages.quick(0)),
                "data.storage.attempts must be between 1 and 100 but is 0");
        assertSays(
                assertThrows(IllegalArgumentException.class, () -> Storages.hedging(20_000)),
                "data.storage.hedgeMillis must be below stallMillis (20000) but is 20000");
        assertSays(
                assertThrows(
                        IllegalArgumentException.class, () -> new StorageConfig.S3("http://me:secret@host", "", true)),
                "data.storage.s3.endpoint must be a URL",
                "'http://host'");
        assertEquals(0, StorageConfig.defaults().hedgeMillis());
    }
}
