package io.rasterflow.tests.streams;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Serves {@link PackData#jpeg} and everything that servers do wrong. */
final class ImageServer implements AutoCloseable {

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Map<String, AtomicInteger> requests = new ConcurrentHashMap<>();
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicInteger mostRunning = new AtomicInteger();
    private volatile boolean later;
    private volatile String userAgent;
    private volatile String authorization;

    ImageServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::handle);
        server.setExecutor(threads);
        server.start();
    }

    String url(String path) {
        return "http://localhost:" + server.getAddress().getPort() + path;
    }

    int requests(String path) {
        return requests.getOrDefault(path, new AtomicInteger()).get();
    }

    int mostAtATime() {
        return mostRunning.get();
    }

    String userAgent() {
        return userAgent;
    }

    String authorization() {
        return authorization;
    }

    /** From now on {@code /later/…} exists. */
    void openLater() {
        later = true;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            countAtATime();
            String path = exchange.getRequestURI().getPath();
            int count =
                    requests.computeIfAbsent(path, key -> new AtomicInteger()).incrementAndGet();
            userAgent = exchange.getRequestHeaders().getFirst("User-Agent");
            String given = exchange.getRequestHeaders().getFirst("Authorization");
            authorization = given == null ? authorization : given;
            answer(exchange, path, count);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Before the answer: whoever has that may ask again at once. */
    private void countAtATime() throws InterruptedException {
        mostRunning.accumulateAndGet(running.incrementAndGet(), Math::max);
        Thread.sleep(5);
        running.decrementAndGet();
    }

    private void answer(HttpExchange exchange, String path, int count) throws IOException, InterruptedException {
        String kind = path.split("/")[1];
        switch (kind) {
            case "img" -> send(exchange, 200, jpeg(path));
            case "later" -> send(exchange, later ? 200 : 404, jpeg(path));
            case "flaky" -> send(exchange, count == 1 ? 500 : 200, jpeg(path));
            case "broken" -> send(exchange, 503, new byte[10]);
            case "text" -> send(exchange, 200, "<html>no image</html>".getBytes(StandardCharsets.US_ASCII));
            case "cut.jpg" -> send(exchange, 200, Arrays.copyOf(PackData.jpeg(40), 600));
            case "large" -> send(exchange, 200, new byte[200_000]);
            case "loop" -> redirect(exchange, "/loop");
            case "moved" -> redirect(exchange, path.replace("moved", "img"));
            case "to-file" -> redirect(exchange, "file:/etc/passwd");
            case "noai" -> {
                exchange.getResponseHeaders().add("X-Robots-Tag", "noai, noimageai");
                send(exchange, 200, PackData.jpeg(41));
            }
            case "otherbot" -> {
                exchange.getResponseHeaders().add("X-Robots-Tag", "otherbot: noindex");
                send(exchange, 200, jpeg(path));
            }
            case "short" -> {
                exchange.sendResponseHeaders(200, 5_000);
                exchange.getResponseBody().write(new byte[100]);
                exchange.getResponseBody().flush();
            }
            case "endless" -> {
                exchange.sendResponseHeaders(200, 0);
                for (int i = 0; i < 1_000; i++) {
                    exchange.getResponseBody().write(new byte[10_000]);
                }
            }
            case "stall" -> closed.await();
            case "stall-in-body" -> {
                exchange.sendResponseHeaders(200, 5_000);
                exchange.getResponseBody().write(new byte[100]);
                exchange.getResponseBody().flush();
                closed.await();
            }
            default -> send(exchange, 404, new byte[0]);
        }
    }

    private static byte[] jpeg(String path) throws IOException {
        return PackData.jpeg(Integer.parseInt(path.replaceAll(".*/(\\d+)\\.jpg", "$1")));
    }

    private static void redirect(HttpExchange exchange, String location) throws IOException {
        exchange.getResponseHeaders().add("Location", location);
        send(exchange, 302, new byte[0]);
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        }
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
