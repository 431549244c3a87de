package io.rasterflow.tests.streams;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;

/** A real HTTP server of the files in a folder, with ranges and strong ETags, that remembers what it was asked for. */
final class ShardServer implements AutoCloseable {

    private static final int BLOCK = 4096;

    private final Path folder;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final ConcurrentLinkedQueue<String> requests = new ConcurrentLinkedQueue<>();

    /** Blocks of 4 KiB that may still be sent; many unless a test holds them back. */
    private final Semaphore blocks = new Semaphore(Integer.MAX_VALUE / 2);

    ShardServer(Path folder) throws IOException {
        this.folder = folder;
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.setExecutor(threads);
        server.start();
    }

    String url(String name) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/" + name;
    }

    /** Such as {@code GET s-00.tar} and {@code GET s-00.tar bytes=4096-}. */
    List<String> requests() {
        return List.copyOf(requests);
    }

    List<String> gets() {
        return requests.stream().filter(request -> request.startsWith("GET")).toList();
    }

    void forget() {
        requests.clear();
    }

    /** From now on only so many blocks are sent, over all answers together. */
    void allow(int count) {
        blocks.drainPermits();
        blocks.release(count);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String name = exchange.getRequestURI().getPath().substring(1);
            String range = exchange.getRequestHeaders().getFirst("Range");
            boolean head = exchange.getRequestMethod().equals("HEAD");
            requests.add(exchange.getRequestMethod() + " " + name + (range == null ? "" : " " + range));
            Path file = folder.resolve(name);
            if (!Files.isRegularFile(file)) {
                exchange.sendResponseHeaders(404, -1);
                return;
            }
            byte[] bytes = Files.readAllBytes(file);
            String tag =
                    "\"" + bytes.length + "-" + Files.getLastModifiedTime(file).toMillis() + "\"";
            exchange.getResponseHeaders().set("ETag", tag);
            exchange.getResponseHeaders().set("Accept-Ranges", "bytes");
            String condition = exchange.getRequestHeaders().getFirst("If-Match");
            if (condition != null && !condition.equals(tag)) {
                exchange.sendResponseHeaders(412, -1);
                return;
            }
            String ifRange = exchange.getRequestHeaders().getFirst("If-Range");
            int from = 0;
            int to = bytes.length - 1;
            boolean partial = range != null && (ifRange == null || ifRange.equals(tag));
            if (partial) {
                String[] ends = range.substring("bytes=".length()).split("-", -1);
                from = Integer.parseInt(ends[0]);
                to = ends[1].isEmpty() ? to : Math.min(to, Integer.parseInt(ends[1]));
                exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + to + "/" + bytes.length);
            }
            if (head) {
                exchange.getResponseHeaders().set("Content-Length", Integer.toString(bytes.length));
                exchange.sendResponseHeaders(200, -1);
                return;
            }
            exchange.sendResponseHeaders(partial ? 206 : 200, to + 1 - from);
            send(exchange.getResponseBody(), bytes, from, to + 1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void send(OutputStream out, byte[] bytes, int from, int end) throws IOException, InterruptedException {
        for (int at = from; at < end; at += BLOCK) {
            blocks.acquire();
            out.write(bytes, at, Math.min(BLOCK, end - at));
            out.flush();
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
