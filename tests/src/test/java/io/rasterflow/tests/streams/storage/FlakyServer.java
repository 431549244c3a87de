package io.rasterflow.tests.streams.storage;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/** An HTTP server on a bare socket that does exactly what a test says, right or wrong. One request a connection. */
final class FlakyServer implements AutoCloseable {

    /**
     * A request as it came.
     *
     * @param headers by name in lower case
     */
    record Request(String method, String path, Map<String, String> headers) {

        String header(String name) {
            return headers.getOrDefault(name.toLowerCase(Locale.ROOT), "");
        }

        /** First byte that is asked for; 0 without a range. */
        int from() {
            String range = header("Range");
            return range.isEmpty() ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-.*", "$1"));
        }
    }

    /** A response: its head, its body, and what happens after some bytes of that. */
    record Reply(String status, List<String> headers, byte[] body, int until, Then then) {

        enum Then {
            CLOSE,
            STALL,
            RESET,
            DRIP
        }

        static Reply of(String status, byte[] body, String... headers) {
            return new Reply(status, List.of(headers), body, body.length, Then.CLOSE);
        }

        /** Sends so many bytes of the body only. */
        Reply until(int bytes, Then next) {
            return new Reply(status, headers, body, Math.min(bytes, body.length), next);
        }
    }

    final List<Request> requests = new CopyOnWriteArrayList<>();
    /** Counted down when a client hangs up during a stall. */
    final CountDownLatch hungUp = new CountDownLatch(1);

    private final ServerSocket socket;
    private final Set<Socket> clients = ConcurrentHashMap.newKeySet();
    private volatile Function<Request, Reply> handler;

    FlakyServer(Function<Request, Reply> handler) throws IOException {
        this.handler = handler;
        this.socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(() -> {
            while (!socket.isClosed()) {
                try {
                    Socket client = socket.accept();
                    clients.add(client);
                    start(() -> serve(client));
                } catch (IOException e) {
                    return; // closed
                }
            }
        });
    }

    void handle(Function<Request, Reply> newHandler) {
        handler = newHandler;
    }

    /** Connections that are open now. */
    int clients() {
        return clients.size();
    }

    URI uri(String path) {
        return URI.create("http://" + host() + path);
    }

    String host() {
        return "127.0.0.1:" + socket.getLocalPort();
    }

    /** The Range headers of the GETs so far. */
    List<String> ranges() {
        return requests.stream()
                .filter(request -> request.method().equals("GET"))
                .map(request -> request.header("Range"))
                .toList();
    }

    /** Serves an object as a good server does: size, ETag, ranges, If-Range. */
    static Reply serve(Request request, byte[] object, String tag, String... more) {
        boolean ranged = !request.header("Range").isEmpty()
                && (request.header("If-Range").isEmpty()
                        || request.header("If-Range").equals(tag));
        int from = ranged ? request.from() : 0;
        String last = request.header("Range").replaceAll("bytes=\\d+-", "");
        int to = ranged && !last.isEmpty() ? Integer.parseInt(last) + 1 : object.length;
        String[] headers = Arrays.copyOf(more, more.length + (ranged ? 2 : 1));
        headers[more.length] = "ETag: " + tag;
        if (ranged) {
            headers[more.length + 1] = "Content-Range: bytes " + from + "-" + (to - 1) + "/" + object.length;
        }
        return Reply.of(ranged ? "206 Partial" : "200 OK", Arrays.copyOfRange(object, from, to), headers);
    }

    private void serve(Socket client) {
        try (client) {
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.ISO_8859_1));
            String[] line = in.readLine().split(" ");
            Map<String, String> headers = new TreeMap<>();
            for (String header = in.readLine(); !header.isEmpty(); header = in.readLine()) {
                int colon = header.indexOf(':');
                if (colon < 0) {
                    return; // no HTTP, but TLS
                }
                headers.put(
                        header.substring(0, colon).toLowerCase(Locale.ROOT),
                        header.substring(colon + 1).strip());
            }
            Request request = new Request(line[0], line[1], headers);
            requests.add(request);
            send(request, handler.apply(request), client, in);
        } catch (IOException | NullPointerException e) {
            // The client has gone: what the tests are about.
        } finally {
            clients.remove(client);
        }
    }

    private void send(Request request, Reply reply, Socket client, BufferedReader in) throws IOException {
        OutputStream out = client.getOutputStream();
        StringBuilder head = new StringBuilder("HTTP/1.1 " + reply.status + "\r\nConnection: close\r\n");
        reply.headers.forEach(header -> head.append(header).append("\r\n"));
        if (reply.headers.stream().noneMatch(header -> header.matches("(Content-Length|Transfer-Encoding):.*"))) {
            head.append("Content-Length: ").append(reply.body.length).append("\r\n");
        }
        out.write(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
        if (request.method().equals("HEAD")) {
            return;
        }
        out.write(reply.body, 0, reply.until);
        out.flush();
        switch (reply.then) {
            case CLOSE -> client.shutdownOutput();
            case RESET -> client.setSoLinger(true, 0);
            case STALL -> hangUp(in);
            case DRIP -> {
                for (int i = reply.until; i < reply.body.length; i++) {
                    out.write(reply.body[i]);
                    out.flush();
                    LockSupport.parkNanos(5_000_000);
                }
            }
        }
    }

    /** Says nothing more until the client hangs up. */
    private void hangUp(BufferedReader in) throws IOException {
        try {
            int end = in.read();
            if (end >= 0) {
                throw new IOException("a second request on one connection");
            }
        } finally {
            hungUp.countDown();
        }
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task, "flaky-server");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        socket.close();
        for (Socket client : clients) {
            client.close();
        }
    }
}
