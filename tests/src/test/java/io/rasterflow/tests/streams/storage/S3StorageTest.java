package io.rasterflow.tests.streams.storage;

import static io.rasterflow.tests.streams.storage.Storages.assertSays;
import static io.rasterflow.tests.streams.storage.Storages.fails;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.storage.Checksum;
import io.rasterflow.streams.storage.Checksum.Algorithm;
import io.rasterflow.streams.storage.ObjectInfo;
import io.rasterflow.streams.storage.Storage;
import io.rasterflow.streams.storage.StorageConfig;
import io.rasterflow.streams.storage.StorageException;
import io.rasterflow.streams.storage.StorageException.Kind;
import io.rasterflow.tests.Paired;
import io.rasterflow.tests.streams.storage.FlakyServer.Reply;
import io.rasterflow.tests.streams.storage.FlakyServer.Reply.Then;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;

/** S3 against S3Proxy, and what no good server does against {@link FlakyServer}. */
@Paired
class S3StorageTest {

    private static final byte[] OBJECT = Storages.bytes(300_000, 1);
    private static final List<String> PROPERTIES = List.of("aws.accessKeyId", "aws.secretAccessKey");

    @TempDir
    private static Path shared;

    @TempDir
    private Path folder;

    // Closing an S3 client takes two seconds, Netty's quiet period: one of each serves all tests.
    private static S3Server server;
    private static S3AsyncClient client;
    private static Storage storage;
    private Path part;

    @BeforeAll
    static void start() throws IOException {
        server = new S3Server(shared);
        server.bucket("shards");
        client = server.client();
        storage = storage(server.endpoint, 5);
    }

    @AfterAll
    static void stop() {
        storage.close();
        client.close();
        server.close();
    }

    /** The default chain looks into the system properties first. */
    @BeforeEach
    void login() {
        login(server.accessKey, server.secretKey);
        part = folder.resolve("part");
    }

    @AfterEach
    void logout() {
        PROPERTIES.forEach(System::clearProperty);
    }

    private static void login(String key, String secret) {
        System.setProperty(PROPERTIES.get(0), key);
        System.setProperty(PROPERTIES.get(1), secret);
    }

    private static Storage storage(URI endpoint, int attempts) {
        StorageConfig quick = Storages.quick(attempts);
        return new Storage(new StorageConfig(
                attempts,
                quick.backoffMillis(),
                quick.maxBackoffMillis(),
                quick.stallMillis(),
                quick.requestMillis(),
                0,
                0,
                5,
                new StorageConfig.S3(endpoint.toString(), "us-east-1", true)));
    }

    private static void put(String key, byte[] bytes, ChecksumAlgorithm algorithm) {
        client.putObject(
                        put -> put.bucket("shards").key(key).checksumAlgorithm(algorithm),
                        AsyncRequestBody.fromBytes(bytes))
                .join();
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain.tar", "a b+c/ä é%41 #1?.tar", "日本/😀.tar", "a//b.tar"})
    void objectsOfAnyNameAreFetched(String key) throws IOException {
        put(key, OBJECT, ChecksumAlgorithm.CRC32);
        ObjectInfo object = storage.stat(Storage.uri("s3://shards/" + key));
        assertEquals(OBJECT.length, object.bytes());
        assertTrue(object.version().matches("\"[0-9a-f]{32}\""), object.version());
        assertTrue(object.checksum().isPresent());
        storage.fetch(object, part);
        assertArrayEquals(OBJECT, Files.readAllBytes(part));
        assertTrue(storage.metrics().stores().get("s3://shards").bytes() >= OBJECT.length);
    }

    @Test
    void whatTheObjectIsNotIsNoticed() throws IOException {
        put("damaged.tar", OBJECT, ChecksumAlgorithm.SHA256);
        long before = storage.metrics().total().requests();
        ObjectInfo object = storage.stat(Storage.uri("s3://shards/damaged.tar"));
        Checksum other = new Checksum(Algorithm.SHA256, "ab".repeat(32));
        assertSays(
                fails(Kind.DAMAGED, () -> storage.fetch(object.withChecksum(other), part)),
                "cannot read s3://shards/damaged.tar: its checksum is SHA256 ");
        assertEquals(before + 3, storage.metrics().total().requests(), "one look and two tries");
        assertFalse(Files.exists(part));
    }

    @Test
    void aListHasEveryPage() throws IOException {
        Path many = Files.createDirectories(server.bucket("many").resolve("data/deeper"));
        List<String> names = IntStream.range(0, 1100)
                .mapToObj(i -> String.format("ä %05d.tar", i))
                .toList();
        for (String name : names) {
            Files.createFile(many.resolveSibling(name));
        }
        Files.createFile(many.resolve("not-in-the-folder-itself.tar"));
        long before = storage.metrics().total().requests();
        List<URI> listed = storage.list(Storage.uri("s3://many/data"));
        assertEquals(
                names.stream()
                        .map(name -> Storage.uri("s3://many/data/" + name))
                        .toList(),
                listed);
        assertEquals(before + 2, storage.metrics().total().requests(), "pages of 1000");
        assertEquals(0, storage.stat(listed.get(1050)).bytes());
        assertEquals(List.of(), storage.list(Storage.uri("s3://many/none/")));
    }

    @Test
    void onlyTheMissingBytesAreAskedFor() throws IOException {
        put("resume.tar", OBJECT, ChecksumAlgorithm.CRC32_C);
        ObjectInfo object = storage.stat(Storage.uri("s3://shards/resume.tar"));
        Files.write(part, Arrays.copyOf(OBJECT, 100_000));
        Files.writeString(
                folder.resolve("part.of"), "rasterflow part 1\ns3://shards/resume.tar\n" + object.version() + "\n");
        long before = storage.metrics().total().bytes();
        storage.fetch(object, part);
        assertArrayEquals(OBJECT, Files.readAllBytes(part));
        assertEquals(before + 200_000, storage.metrics().total().bytes());
    }

    @Test
    void aReplacedObjectIsNamed() throws IOException {
        put("replaced.tar", OBJECT, ChecksumAlgorithm.CRC32);
        ObjectInfo object = storage.stat(Storage.uri("s3://shards/replaced.tar"));
        put("replaced.tar", Storages.bytes(300_000, 2), ChecksumAlgorithm.CRC32);
        assertSays(
                fails(Kind.CHANGED, () -> storage.fetch(object, part)),
                "s3://shards/replaced.tar: it was replaced while in use",
                "412");
    }

    @Test
    void whatIsMissingIsNamed() {
        long before = storage.metrics().total().retries();
        assertSays(
                fails(Kind.MISSING, () -> storage.stat(URI.create("s3://shards/none.tar"))),
                "cannot read s3://shards/none.tar: there is no such object (404 NoSuchKey); check");
        for (var call : List.<Executable>of(
                () -> storage.stat(URI.create("s3://no-such-bucket/a.tar")),
                () -> storage.list(URI.create("s3://no-such-bucket/")),
                () -> storage.fetch(ObjectInfo.at(URI.create("s3://no-such-bucket/a.tar")), part))) {
            assertSays(fails(Kind.MISSING, call), "there is no such bucket (404 NoSuchBucket)");
        }
        assertEquals(before, storage.metrics().total().retries());
        fails(Kind.OTHER, () -> storage.stat(URI.create("s3://shards")));
        fails(Kind.OTHER, () -> storage.stat(URI.create("s3://shards/a?b")));
    }

    @Test
    void wrongKeysAreNamedButNotShown() throws IOException {
        put("denied.tar", OBJECT, ChecksumAlgorithm.CRC32);
        login("wrong-key", "wrong-secret");
        StorageException failure = fails(Kind.DENIED, () -> storage.stat(URI.create("s3://shards/denied.tar")));
        assertSays(failure, "the access key or its secret is wrong (403 InvalidAccessKeyId)", "AWS_PROFILE");
        assertFalse(failure.toString().contains("wrong-key"));
        login(server.accessKey, "wrong-secret"); // asked for anew by every request
        failure = fails(Kind.DENIED, () -> storage.list(URI.create("s3://shards/")));
        assertSays(failure, "the access key or its secret is wrong (403 SignatureDoesNotMatch)");
        assertFalse(failure.toString().contains("wrong-secret"));
        login(server.accessKey, server.secretKey);
        assertEquals(
                OBJECT.length,
                storage.stat(URI.create("s3://shards/denied.tar")).bytes());
    }

    @Test
    void errorCodesAreExplained() throws IOException {
        try (FlakyServer flaky = new FlakyServer(request -> error("500 Oops", "InternalError"));
                Storage storage = storage(flaky.uri(""), 2)) {
            assertExplained(
                    flaky, storage, "403 Forbidden", "ExpiredToken", Kind.DENIED, "have expired (403 ExpiredToken)");
            assertExplained(
                    flaky, storage, "403 Forbidden", "AccessDenied", Kind.DENIED, "role) and the bucket policy");
            assertExplained(
                    flaky, storage, "403 Forbidden", "RequestTimeTooSkewed", Kind.DENIED, "the clock of this machine");
            assertExplained(
                    flaky,
                    storage,
                    "301 Moved",
                    "PermanentRedirect",
                    Kind.OTHER,
                    "in another region (301 PermanentRedirect); set data.storage.s3.region to eu-central-1");
            assertExplained(flaky, storage, "503 Slow", "SlowDown", Kind.TEMPORARY, "(503 SlowDown) (2 attempts)");
            assertExplained(
                    flaky, storage, "500 Oops", "InternalError", Kind.TEMPORARY, "(500 InternalError) (2 attempts)");
        }
    }

    private void assertExplained(
            FlakyServer flaky, Storage storage, String status, String code, Kind kind, String says) {
        int before = flaky.requests.size();
        flaky.handle(request -> error(status, code));
        ObjectInfo object = ObjectInfo.at(URI.create("s3://shards/a.tar"));
        assertSays(fails(kind, () -> storage.fetch(object, part)), "cannot read s3://shards/a.tar: ", says);
        assertEquals(before + (kind == Kind.TEMPORARY ? 2 : 1), flaky.requests.size());
    }

    private static Reply error(String status, String code) {
        byte[] body = ("<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>m</Message></Error>")
                .getBytes(StandardCharsets.UTF_8);
        return Reply.of(status, body, "x-amz-bucket-region: eu-central-1", "Content-Type: application/xml");
    }

    @Test
    void aBrokenBodyIsResumedAtItsByte() throws IOException {
        AtomicInteger gets = new AtomicInteger();
        Map<Integer, Then> faults = Map.of(0, Then.CLOSE, 1, Then.STALL);
        try (FlakyServer flaky = new FlakyServer(request -> {
                    Reply reply = FlakyServer.serve(request, OBJECT, "\"v1\"");
                    Then fault = request.method().equals("GET") ? faults.get(gets.getAndIncrement()) : null;
                    return fault == null ? reply : reply.until(50_000, fault);
                });
                Storage storage = new Storage(new StorageConfig(
                        3,
                        1,
                        20,
                        500,
                        60_000,
                        0,
                        0,
                        5,
                        new StorageConfig.S3(flaky.uri("").toString(), "", true)))) {
            ObjectInfo object = storage.stat(URI.create("s3://shards/a.tar"));
            storage.fetch(object, part);
            assertArrayEquals(OBJECT, Files.readAllBytes(part));
            assertEquals(List.of("", "bytes=50000-", "bytes=100000-"), flaky.ranges());
            assertEquals("\"v1\"", flaky.requests.get(3).header("If-Match"));
            assertEquals(OBJECT.length, storage.metrics().total().bytes());
        }
    }
}
