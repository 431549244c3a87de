package io.rasterflow.tests.streams.storage;

import static io.rasterflow.tests.streams.storage.Storages.assertSays;
import static io.rasterflow.tests.streams.storage.Storages.fails;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.rasterflow.streams.storage.Checksum;
import io.rasterflow.streams.storage.Checksum.Algorithm;
import io.rasterflow.streams.storage.ObjectInfo;
import io.rasterflow.streams.storage.Storage;
import io.rasterflow.streams.storage.StorageException;
import io.rasterflow.streams.storage.StorageException.Kind;
import io.rasterflow.tests.Paired;
import io.rasterflow.tests.streams.storage.FlakyServer.Reply;
import io.rasterflow.tests.streams.storage.FlakyServer.Reply.Then;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** HTTP around the download: what is asked and told, redirects, certificates, secrets, hedging, limits, interruption. */
@Paired
class HttpStorageTest {

    private static final byte[] OBJECT = Storages.bytes(200_000, 1);
    private static final String TAG = "\"v1\"";

    @TempDir
    private Path folder;

    private FlakyServer server;
    private Path part;

    @BeforeEach
    void start() throws IOException {
        server = new FlakyServer(request -> FlakyServer.serve(request, OBJECT, TAG));
        part = folder.resolve("part");
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    @Test
    void statTellsSizeAndVersion() throws IOException {
        try (Storage storage = new Storage(Storages.quick(1))) {
            URI uri = server.uri("/a");
            assertEquals(new ObjectInfo(uri, OBJECT.length, TAG, Optional.empty()), storage.stat(uri));
            server.handle(request -> Reply.of("200 OK", new byte[0], "Transfer-Encoding: chunked"));
            assertEquals(ObjectInfo.at(uri), storage.stat(uri));
        }
    }

    /** The checksums of "123456789", as the services write them. */
    @ParameterizedTest
    @CsvSource({
        "Content-MD5: JfnnlDI7RTiF9RgfG2JNCw==, MD5, 25f9e794323b453885f5181f1b624d0b",
        "x-goog-hash: crc32c=4waSgw==, CRC32C, e3069283",
        "Digest: SHA-256=FeKw094k/J9XljcYriy97GbhdAVoxyB+zXMUYkS8HiU=, SHA256,"
                + " 15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
        "Repr-Digest: sha-256=:FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=:, SHA256,"
                + " 15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
        "x-amz-checksum-crc64nvme: rosUhgp5mIg=, CRC64NVME, ae8b14860a799888",
        "x-amz-checksum-crc32: y/Q5Jg==, CRC32, cbf43926",
        "x-amz-checksum-sha1: 98O8HYCOBHMq1l6dPeMgh6hAWys=, SHA1, f7c3bc1d808e04732adf679965ccc34ca7ae3441"
    })
    void offeredChecksumsAreTakenAndHeld(String header, Algorithm algorithm, String hex) throws IOException {
        byte[] digits = "123456789".getBytes(StandardCharsets.US_ASCII);
        boolean right = !header.startsWith("Digest") && !header.contains("sha1"); // these two are wrong on purpose
        server.handle(request -> FlakyServer.serve(request, digits, TAG, header));
        try (Storage storage = new Storage(Storages.quick(3))) {
            ObjectInfo object = storage.stat(server.uri("/digits"));
            assertEquals(algorithm, object.checksum().orElseThrow().algorithm());
            if (right) {
                assertEquals(new Checksum(algorithm, hex), object.checksum().orElseThrow());
                storage.fetch(object, part);
                assertArrayEquals(digits, Files.readAllBytes(part));
            } else {
                assertSays(fails(Kind.DAMAGED, () -> storage.fetch(object, part)), "its checksum is", hex);
            }
        }
    }

    @Test
    void theBestChecksumWins() throws IOException {
        server.handle(request -> FlakyServer.serve(
                request, OBJECT, TAG, "x-goog-hash: crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==", "Digest: nonsense"));
        try (Storage storage = new Storage(Storages.quick(1))) {
            assertEquals(
                    Algorithm.MD5,
                    storage.stat(server.uri("/a")).checksum().orElseThrow().algorithm());
        }
    }

    @Test
    void aSignedUrlThatForbidsHeadIsAskedByGet() throws IOException {
        server.handle(request -> request.method().equals("HEAD")
                ? Reply.of("403 Forbidden", new byte[0])
                : FlakyServer.serve(request, OBJECT, TAG));
        try (Storage storage = new Storage(Storages.quick(1))) {
            ObjectInfo object = storage.stat(server.uri("/a?X-Amz-Signature=5ec3e7"));
            assertEquals(OBJECT.length, object.bytes());
            assertEquals(List.of("bytes=0-0"), server.ranges());
            storage.fetch(object, part);
            assertArrayEquals(OBJECT, Files.readAllBytes(part));
        }
    }

    @Test
    void aFolderCannotBeListed() {
        try (Storage storage = new Storage(Storages.quick(1))) {
            assertSays(fails(Kind.OTHER, () -> storage.list(server.uri("/folder/"))), "HTTP cannot list", "manifest");
        }
    }

    @Test
    void redirectsAreFollowedWithTheRange() throws IOException {
        AtomicInteger gets = new AtomicInteger();
        server.handle(request -> {
            if (!request.path().equals("/there")) {
                return Reply.of(
                        "302 Found",
                        new byte[10],
                        "Location: "
                                + (request.path().equals("/here") ? "near" : "http://" + server.host() + "/there"));
            }
            Reply reply = FlakyServer.serve(request, OBJECT, TAG);
            boolean cut = request.method().equals("GET") && gets.getAndIncrement() == 0;
            return cut ? reply.until(50_000, Then.CLOSE) : reply;
        });
        try (Storage storage = new Storage(Storages.quick(2))) {
            storage.fetch(storage.stat(server.uri("/here")), part);
            assertArrayEquals(OBJECT, Files.readAllBytes(part));
            assertEquals("bytes=50000-", server.requests.get(8).header("Range"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/loop, a loop of redirects at http://HOST/loop",
        "/1, more than 5 redirects (data.storage.maxRedirects)",
        "file:///etc/passwd, a redirect from http to file",
        "'', a redirect to nowhere",
        "http://[, a redirect to what is no URL"
    })
    void redirectsThatLeadNowhereAreRefused(String location, String why) {
        server.handle(request -> {
            boolean number = request.path().matches("/\\d+");
            int next = number ? Integer.parseInt(request.path().substring(1)) + 1 : 0;
            return Reply.of("301 Moved", new byte[0], "Location: " + (number ? "/" + next : location));
        });
        try (Storage storage = new Storage(Storages.quick(5))) {
            StorageException failure = fails(Kind.OTHER, () -> storage.stat(server.uri("/start")));
            assertSays(failure, "/start: ", why.replace("HOST", server.host()));
            assertTrue(server.requests.size() <= 7, "not tried again");
        }
    }

    @Test
    void userAndPasswordGoToTheirHostOnlyAndAreNeverShown() throws IOException {
        try (FlakyServer other = new FlakyServer(request -> Reply.of("403 Forbidden", new byte[0]));
                Storage storage = new Storage(Storages.quick(1))) {
            server.handle(request ->
                    Reply.of("302 Found", new byte[0], "Location: http://" + other.host() + "/x?signature=5ec3e7"));
            URI uri = URI.create("http://me:p%40ss@" + server.host() + "/a?token=5ec3e7");
            StorageException failure = fails(Kind.DENIED, () -> storage.fetch(ObjectInfo.at(uri), part));
            assertSays(failure, "cannot read http://" + server.host() + "/a?…: access denied (403)");
            for (String secret : List.of("me:", "p@ss", "p%40ss", "5ec3e7")) {
                assertFalse(failure.toString().contains(secret), failure.toString());
                assertFalse(storage.metrics().toString().contains(secret));
            }
            assertNull(failure.getCause(), "a cause could quote the request");
            String basic = "Basic " + Base64.getEncoder().encodeToString("me:p@ss".getBytes(StandardCharsets.UTF_8));
            assertEquals(basic, server.requests.get(0).header("Authorization"));
            assertEquals("", other.requests.get(0).header("Authorization"));
            assertFalse(server.requests.get(0).header("Host").contains("@"));
        }
    }

    @Test
    void anUntrustedCertificateAndAStepDownToHttpAreRefused() throws Exception {
        Path keys = folder.resolve("keys.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "SAN=IP:127.0.0.1",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        keys.toString(),
                        "-storepass",
                        "changeit")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertEquals(0, keytool.waitFor());
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(keys)) {
            store.load(in, "changeit".toCharArray());
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(store, "changeit".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        HttpsServer https = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        https.setHttpsConfigurator(new HttpsConfigurator(context));
        https.start();
        try (Storage storage = new Storage(Storages.quick(5))) {
            URI uri = URI.create("https://127.0.0.1:" + https.getAddress().getPort() + "/a");
            StorageException failure = fails(Kind.OTHER, () -> storage.stat(uri));
            assertSays(failure, "the certificate of the server is not trusted", "trustStore");
            assertEquals(1, storage.metrics().total().requests());
            assertSays(
                    fails(Kind.TEMPORARY, () -> storage.stat(URI.create("https://" + server.host() + "/plain"))),
                    "TLS failed");
        } finally {
            https.stop(0);
        }
    }

    @Test
    void aClosedPortIsNamed() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        try (Storage storage = new Storage(Storages.quick(2))) {
            assertSays(
                    fails(Kind.TEMPORARY, () -> storage.stat(URI.create("http://127.0.0.1:" + port + "/a"))),
                    "no connection",
                    "(2 attempts)");
        }
    }

    @Test
    void aSlowRequestIsSentTwiceAndTheFirstToDeliverWins() throws Exception {
        try (Storage storage = new Storage(Storages.hedging(100))) {
            ObjectInfo object = storage.stat(server.uri("/a"));
            AtomicInteger gets = new AtomicInteger();
            server.handle(request -> {
                Reply reply = FlakyServer.serve(request, OBJECT, TAG);
                return gets.getAndIncrement() == 0 ? reply.until(0, Then.STALL) : reply;
            });
            storage.fetch(object, part);
            assertArrayEquals(OBJECT, Files.readAllBytes(part));
            assertEquals(1, storage.metrics().total().hedges());
            assertEquals(0, storage.metrics().total().retries());
            assertEquals(OBJECT.length, storage.metrics().total().bytes());
            assertTrue(server.hungUp.await(20, TimeUnit.SECONDS), "the slow one is cancelled");
        }
    }

    @Test
    void aHedgedRequestThatFailsLeavesTheOther() throws IOException {
        try (Storage storage = new Storage(Storages.hedging(100))) {
            ObjectInfo object = storage.stat(server.uri("/a"));
            CompletableFuture<Void> second = new CompletableFuture<>();
            AtomicInteger gets = new AtomicInteger();
            server.handle(request -> {
                if (gets.getAndIncrement() > 0) {
                    second.complete(null);
                    return Reply.of("404 Not Found", new byte[0]);
                }
                second.join();
                return FlakyServer.serve(request, OBJECT, TAG);
            });
            storage.fetch(object, part);
            assertArrayEquals(OBJECT, Files.readAllBytes(part));
            assertEquals(1, storage.metrics().total().hedges());
        }
    }

    @Test
    void theRateIsLimitedForAllFetchesTogether() throws Exception {
        try (Storage storage = new Storage(Storages.limited(500_000))) {
            ObjectInfo object = storage.stat(server.uri("/a"));
            long start = System.nanoTime();
            CompletableFuture<Void> other = CompletableFuture.runAsync(() -> fetch(storage, object, "other"));
            fetch(storage, object, "one");
            other.get(60, TimeUnit.SECONDS);
            long millis = (System.nanoTime() - start) / 1_000_000;
            assertTrue(millis >= 650, "400,000 bytes at 500,000 a second after a burst of 0.1 s, in " + millis + " ms");
        }
    }

    private void fetch(Storage storage, ObjectInfo object, String name) {
        try {
            storage.fetch(object, folder.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void anInterruptEndsAFetchAndKeepsItsBytes() throws Exception {
        try (Storage storage = new Storage(Storages.quick(5))) {
            ObjectInfo object = storage.stat(server.uri("/a"));
            server.handle(request -> FlakyServer.serve(request, OBJECT, TAG).until(60_000, Then.STALL));
            CompletableFuture<Throwable> outcome = new CompletableFuture<>();
            Thread thread = new Thread(() -> {
                try {
                    storage.fetch(object, part);
                    outcome.complete(null);
                } catch (IOException | RuntimeException e) {
                    outcome.complete(Thread.currentThread().isInterrupted() ? e : new AssertionError("flag lost", e));
                }
            });
            thread.start();
            Awaitility.await().until(() -> Files.exists(part) && Files.size(part) == 60_000);
            thread.interrupt();
            Throwable failure = outcome.get(20, TimeUnit.SECONDS);
            assertEquals(InterruptedIOException.class, failure.getClass(), String.valueOf(failure));
            assertEquals("interrupted while reading " + server.uri("/a"), failure.getMessage());
            assertEquals(60_000, Files.size(part));
        }
    }

    @Test
    void closingEndsWhatIsUnderWay() throws Exception {
        Storage storage = new Storage(Storages.quick(5));
        ObjectInfo object = storage.stat(server.uri("/a"));
        server.handle(request -> FlakyServer.serve(request, OBJECT, TAG).until(60_000, Then.STALL));
        CompletableFuture<Void> fetch = CompletableFuture.runAsync(() -> fetch(storage, object, "part"));
        Awaitility.await().until(() -> Files.exists(part) && Files.size(part) == 60_000);
        storage.close();
        ExecutionException failure = assertThrows(ExecutionException.class, () -> fetch.get(20, TimeUnit.SECONDS));
        assertSays((Exception) failure.getCause().getCause(), "the storage was closed");
        fails(Kind.OTHER, () -> storage.stat(server.uri("/a")));
    }

    @Test
    void aFullDiskIsNamed() throws IOException {
        Files.createSymbolicLink(part, Path.of("/dev/full"));
        try (Storage storage = new Storage(Storages.quick(5))) {
            ObjectInfo object = storage.stat(server.uri("/a"));
            StorageException failure = fails(Kind.OTHER, () -> storage.fetch(object, part));
            assertSays(failure, "cannot write " + part + ": ", "No space left on device; free some space");
            assertEquals(1, server.ranges().size());
            fails(Kind.OTHER, () -> storage.fetch(object, folder.resolve("no/such/folder/part")));
        } finally {
            Files.delete(part); // JUnit warns of links that lead out of its folder
        }
    }
}
