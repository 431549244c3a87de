package io.rasterflow.tests.streams.storage;

import static io.rasterflow.tests.streams.storage.Storages.assertSays;
import static io.rasterflow.tests.streams.storage.Storages.fails;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.storage.Checksum;
import io.rasterflow.streams.storage.ObjectInfo;
import io.rasterflow.streams.storage.Storage;
import io.rasterflow.streams.storage.StorageConfig;
import io.rasterflow.streams.storage.StorageException;
import io.rasterflow.streams.storage.StorageException.Kind;
import io.rasterflow.tests.Paired;
import io.rasterflow.tests.streams.storage.FlakyServer.Reply;
import io.rasterflow.tests.streams.storage.FlakyServer.Reply.Then;
import io.rasterflow.tests.streams.storage.FlakyServer.Request;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of a download over HTTP when something breaks: the bytes, the requests, the message. */
@Paired
class BrokenDownloadTest {

    private static final byte[] OBJECT = Storages.bytes(300_000, 1);
    private static final String TAG = "\"v1\"";

    @TempDir
    private Path folder;

    private FlakyServer server;
    private Path part;

    @BeforeEach
    void start() throws IOException {
        server = new FlakyServer(request -> FlakyServer.serve(request, OBJECT, TAG));
        part = folder.resolve("shard.part");
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    /** The first GETs get the given replies, later ones and HEAD those of a good server. */
    @SafeVarargs
    private void replies(Function<Request, Reply>... replies) {
        AtomicInteger gets = new AtomicInteger();
        server.handle(request -> {
            int number = request.method().equals("GET") ? gets.getAndIncrement() : replies.length;
            return number < replies.length ? replies[number].apply(request) : FlakyServer.serve(request, OBJECT, TAG);
        });
    }

    private static Function<Request, Reply> cutAfter(int bytes, Then then) {
        return request -> FlakyServer.serve(request, OBJECT, TAG).until(bytes, then);
    }

    private static Function<Request, Reply> status(String status, String... headers) {
        return request -> Reply.of(status, "sorry".getBytes(StandardCharsets.US_ASCII), headers);
    }

    private ObjectInfo stat(Storage storage) throws IOException {
        return storage.stat(server.uri("/shard.tar"));
    }

    private void assertWhole() throws IOException {
        assertArrayEquals(OBJECT, Files.readAllBytes(part));
        assertEquals(List.of(part), list(), "nothing but the part is left");
    }

    private List<Path> list() throws IOException {
        try (var files = Files.list(folder)) {
            return files.toList();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Then.class,
            names = {"CLOSE", "STALL"})
    void aBrokenBodyIsResumedAtItsByte(Then fault) throws IOException {
        replies(cutAfter(70_000, fault), cutAfter(30_000, fault));
        try (Storage storage = new Storage(Storages.impatient(3, 500, 60_000))) {
            storage.fetch(stat(storage), part);
            assertWhole();
            assertEquals(List.of("", "bytes=70000-", "bytes=100000-"), server.ranges());
            assertEquals(TAG, server.requests.get(3).header("If-Range"));
            assertEquals(OBJECT.length, storage.metrics().total().bytes(), "no byte came twice");
            assertEquals(2, storage.metrics().total().retries());
            assertEquals(
                    4, storage.metrics().stores().get("http://" + server.host()).requests());
        }
    }

    @Test
    void aResetConnectionIsResumed() throws IOException {
        replies(cutAfter(70_000, Then.RESET));
        try (Storage storage = new Storage(Storages.quick(3))) {
            storage.fetch(stat(storage), part);
            assertWhole();
            assertEquals(1, storage.metrics().total().retries());
        }
    }

    @Test
    void aLaterProcessResumes() throws IOException {
        replies(cutAfter(70_000, Then.CLOSE));
        ObjectInfo object;
        try (Storage storage = new Storage(Storages.quick(1))) {
            object = stat(storage);
            assertSays(
                    fails(Kind.TEMPORARY, () -> storage.fetch(object, part)),
                    "cannot read http://" + server.host() + "/shard.tar: ",
                    "connection broke");
        }
        assertEquals(70_000, Files.size(part));
        try (Storage storage = new Storage(Storages.quick(1))) {
            storage.fetch(object.withChecksum(sha256(OBJECT)), part);
            assertEquals(OBJECT.length - 70_000, storage.metrics().total().bytes());
        }
        assertWhole();
    }

    @Test
    void aCompletePartNeedsNoRequest() throws IOException {
        try (Storage storage = new Storage(Storages.quick(1))) {
            ObjectInfo object = stat(storage);
            storage.fetch(object, part);
            Files.writeString(
                    folder.resolve("shard.part.of"),
                    "rasterflow part 1\n" + server.uri("/shard.tar") + "\n" + TAG + "\n");
            storage.fetch(object, part);
            assertWhole();
            assertEquals(List.of(""), server.ranges());
        }
    }

    @Test
    void bytesOfAnotherVersionAreNotGoneOnWith() throws IOException {
        replies(cutAfter(70_000, Then.CLOSE));
        try (Storage storage = new Storage(Storages.quick(1))) {
            ObjectInfo old = stat(storage);
            fails(Kind.TEMPORARY, () -> storage.fetch(old, part));
            byte[] newer = Storages.bytes(OBJECT.length, 2);
            server.handle(request -> FlakyServer.serve(request, newer, "\"v2\""));
            storage.fetch(stat(storage), part);
            assertArrayEquals(newer, Files.readAllBytes(part));
            assertEquals(List.of("", ""), server.ranges());
        }
    }

    @Test
    void anObjectReplacedDuringTheFetchIsNamedAndNothingIsLeft() throws IOException {
        byte[] newer = Storages.bytes(OBJECT.length, 2);
        replies(cutAfter(70_000, Then.CLOSE), request -> FlakyServer.serve(request, newer, "\"v2\""));
        try (Storage storage = new Storage(Storages.quick(5))) {
            ObjectInfo object = stat(storage);
            StorageException failure = fails(Kind.CHANGED, () -> storage.fetch(object, part));
            assertSays(failure, "/shard.tar: it was replaced while in use: version \"v1\" is now \"v2\"");
            assertEquals(List.of(), list());
            assertEquals(2, server.ranges().size(), "not tried again");
        }
    }

    @Test
    void aPreconditionThatFailsMeansAReplacedObject() throws IOException {
        replies(cutAfter(70_000, Then.CLOSE), status("412 Precondition Failed"));
        try (Storage storage = new Storage(Storages.quick(5))) {
            ObjectInfo object = stat(storage);
            assertSays(fails(Kind.CHANGED, () -> storage.fetch(object, part)), "replaced while in use", "412");
        }
    }

    @Test
    void aServerThatIgnoresRangesSendsAllAgain() throws IOException {
        Function<Request, Reply> whole = request -> Reply.of("200 OK", OBJECT, "ETag: " + TAG);
        replies(cutAfter(70_000, Then.CLOSE), request -> whole.apply(request).until(90_000, Then.CLOSE), whole);
        try (Storage storage = new Storage(Storages.quick(3))) {
            storage.fetch(stat(storage).withChecksum(sha256(OBJECT)), part);
            assertWhole();
            assertEquals(List.of("", "bytes=70000-", "bytes=90000-"), server.ranges());
        }
    }

    @Test
    void withoutAVersionABrokenDownloadStartsAgain() throws IOException {
        Function<Request, Reply> plain = request -> Reply.of("200 OK", OBJECT);
        replies(request -> plain.apply(request).until(70_000, Then.CLOSE), plain);
        try (Storage storage = new Storage(Storages.quick(3))) {
            storage.fetch(ObjectInfo.at(server.uri("/shard.tar")), part);
            assertWhole();
            assertEquals(List.of("", ""), server.ranges());
        }
    }

    @Test
    void aWeakTagIsNoVersionButATimeIs() throws IOException {
        String time = "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT";
        server.handle(request -> Reply.of("200 OK", OBJECT, "ETag: W/\"v1\"", time));
        try (Storage storage = new Storage(Storages.quick(1))) {
            assertEquals("Wed, 21 Oct 2015 07:28:00 GMT", stat(storage).version());
            server.handle(request -> Reply.of("200 OK", OBJECT, "ETag: W/\"v1\""));
            assertEquals("", stat(storage).version());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"408 Timeout", "425 Too Early", "429 Too Many", "500 Error", "502 Gateway", "503 Busy"})
    void aBusyServerIsTriedAgain(String status) throws IOException {
        replies(status(status), status(status));
        try (Storage storage = new Storage(Storages.quick(3))) {
            storage.fetch(stat(storage), part);
            assertWhole();
            assertEquals(2, storage.metrics().total().retries());
            assertEquals(0, storage.metrics().total().failures());
        }
    }

    @Test
    void retriesEnd() throws IOException {
        server.handle(status("503 Busy"));
        try (Storage storage = new Storage(Storages.quick(4))) {
            StorageException failure = fails(Kind.TEMPORARY, () -> stat(storage));
            assertSays(failure, "/shard.tar: the server answers 503 (4 attempts); ", "try again later");
            assertEquals(4, server.requests.size());
            assertEquals(1, storage.metrics().total().failures());
        }
    }

    @Test
    void whatAServerAsksToWaitIsHonouredWithinBounds() throws IOException {
        replies(
                status("503 Busy", "Retry-After: 86400"),
                status("429 Busy", "Retry-After: Thu, 1 Jan 2099 00:00:00 GMT"));
        StorageConfig config = new StorageConfig(3, 0, 300, 20_000, 60_000, 0, 0, 5, Storages.AWS);
        try (Storage storage = new Storage(config)) {
            ObjectInfo object = stat(storage);
            long start = System.nanoTime();
            storage.fetch(object, part);
            long millis = (System.nanoTime() - start) / 1_000_000;
            assertTrue(millis >= 600, "without the headers there would be no wait, but it took " + millis + " ms");
            assertWhole();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"400 Bad Request", "401 Login", "403 Forbidden", "404 Not Found", "410 Gone"})
    void whatCannotGetBetterIsNotTriedAgain(String status) throws IOException {
        try (Storage storage = new Storage(Storages.quick(5))) {
            ObjectInfo object = stat(storage);
            server.handle(status(status));
            StorageException failure = assertFailsOnce(storage, object);
            assertSays(failure, "/shard.tar: ", status.substring(0, 3), "; ");
            assertEquals(
                    switch (status.substring(0, 3)) {
                        case "401", "403" -> Kind.DENIED;
                        case "404", "410" -> Kind.MISSING;
                        default -> Kind.OTHER;
                    },
                    failure.kind());
        }
    }

    private StorageException assertFailsOnce(Storage storage, ObjectInfo object) {
        int before = server.requests.size();
        StorageException failure = assertThrows(StorageException.class, () -> storage.fetch(object, part));
        assertEquals(before + 1, server.requests.size());
        return failure;
    }

    @Test
    void aWrongChecksumIsTriedOnceMore() throws IOException {
        try (Storage storage = new Storage(Storages.quick(5))) {
            ObjectInfo object = stat(storage).withChecksum(sha256(new byte[1]));
            StorageException failure = fails(Kind.DAMAGED, () -> storage.fetch(object, part));
            assertSays(failure, "its checksum is " + sha256(OBJECT) + " instead of " + sha256(new byte[1]));
            assertEquals(List.of("", ""), server.ranges());
            assertEquals(List.of(), list());
        }
    }

    @Test
    void damageOnTheWayIsHealedByTheSecondTry() throws IOException {
        byte[] damaged = OBJECT.clone();
        damaged[1234] ^= 1;
        replies(request -> FlakyServer.serve(request, damaged, TAG));
        try (Storage storage = new Storage(Storages.quick(5))) {
            storage.fetch(stat(storage).withChecksum(sha256(OBJECT)), part);
            assertWhole();
        }
    }

    @Test
    void moreBytesThanAnnouncedAreNoticed() throws IOException {
        String chunk = "50000\r\n"; // 327,680 in hexadecimal, of an object of 300,000
        byte[] body = Arrays.copyOf(chunk.getBytes(StandardCharsets.US_ASCII), chunk.length() + 0x50000);
        Function<Request, Reply> tooMuch =
                request -> Reply.of("200 OK", body, "ETag: " + TAG, "Transfer-Encoding: chunked");
        replies(tooMuch, tooMuch);
        try (Storage storage = new Storage(Storages.quick(5))) {
            ObjectInfo object = stat(storage);
            assertSays(
                    fails(Kind.DAMAGED, () -> storage.fetch(object, part)), "more than the 300000 bytes of the object");
            assertEquals(List.of(), list());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Range: bytes 60000-299999/300000", // not what was asked for
                "Content-Range: bytes 70000-299999/400000", // another size
                "Content-Range: bytes 299999-70000/300000",
                "Content-Range: bytes 70000-299999/70001",
                "Content-Range: 70000",
                "X-Nothing: none"
            })
    void aLyingContentRangeIsNotBelieved(String header) throws IOException {
        replies(
                cutAfter(70_000, Then.CLOSE),
                request -> Reply.of("206 Partial", new byte[230_000], header, "ETag: " + TAG));
        try (Storage storage = new Storage(Storages.quick(3))) {
            storage.fetch(stat(storage), part);
            assertWhole();
        }
    }

    @Test
    void aLyingContentLengthIsNotBelieved() throws IOException {
        Function<Request, Reply> tooLong =
                request -> Reply.of("200 OK", OBJECT, "ETag: " + TAG, "Content-Length: 400000");
        Function<Request, Reply> tooShort =
                request -> Reply.of("200 OK", OBJECT, "ETag: " + TAG, "Content-Length: 1000");
        Function<Request, Reply> absurd = request -> Reply.of("200 OK", OBJECT, "ETag: " + TAG, "Content-Length: ten");
        replies(tooLong, tooShort, absurd);
        try (Storage storage = new Storage(Storages.quick(4))) {
            storage.fetch(stat(storage), part);
            assertWhole();
            server.handle(tooShort);
            ObjectInfo object = new ObjectInfo(server.uri("/x"), OBJECT.length, TAG, Optional.empty());
            assertSays(
                    fails(Kind.TEMPORARY, () -> storage.fetch(object, part)),
                    "the server announces 1000 bytes for an object of 300000 (4 attempts)");
        }
    }

    @Test
    void aRangeBehindTheEndStartsAgain() throws IOException {
        replies(cutAfter(70_000, Then.CLOSE), status("416 Range Not Satisfiable"));
        try (Storage storage = new Storage(Storages.quick(3))) {
            storage.fetch(stat(storage), part);
            assertWhole();
            assertEquals(List.of("", "bytes=70000-", ""), server.ranges());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1000})
    void aServerThatSaysNothingMoreIsGivenUp(int bytes) throws IOException {
        try (Storage storage = new Storage(Storages.impatient(2, 200, 60_000))) {
            ObjectInfo object = stat(storage);
            server.handle(cutAfter(bytes, Then.STALL));
            StorageException failure = fails(Kind.TEMPORARY, () -> storage.fetch(object, part));
            assertSays(failure, bytes == 0 ? "no answer within 200 ms" : "no byte for 200 ms", "(2 attempts)");
            assertEquals(2, server.ranges().size());
        }
    }

    @Test
    void aDrippingServerIsGivenUp() throws IOException {
        try (Storage storage = new Storage(Storages.impatient(2, 200, 400))) {
            ObjectInfo object = stat(storage);
            server.handle(cutAfter(0, Then.DRIP));
            assertSays(
                    fails(Kind.TEMPORARY, () -> storage.fetch(object, part)),
                    "of 300000 bytes arrived within 400 ms (data.storage.requestMillis) (2 attempts)");
            assertFalse(server.ranges().get(1).isEmpty(), "the second went on where the first was");
        }
    }

    @Test
    void anEmptyObjectIsFetched() throws IOException {
        server.handle(request -> FlakyServer.serve(request, new byte[0], TAG));
        try (Storage storage = new Storage(Storages.quick(1))) {
            storage.fetch(stat(storage), part);
            assertEquals(0, Files.size(part));
            storage.fetch(ObjectInfo.at(server.uri("/empty")), part);
            assertEquals(0, Files.size(part));
        }
    }

    private static Checksum sha256(byte[] bytes) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            return new Checksum(Checksum.Algorithm.SHA256, HexFormat.of().formatHex(digest));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
