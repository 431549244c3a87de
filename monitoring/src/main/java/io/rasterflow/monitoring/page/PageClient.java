package io.rasterflow.monitoring.page;

import io.rasterflow.monitoring.monitor.RunUpdate;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows a run from elsewhere, by the server-sent events of its page. When the connection is lost it tries again, and says so
 * meanwhile.
 */
public final class PageClient implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(PageClient.class);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final long RETRY_MILLIS = 1_000;
    private static final String DATA = "data:";

    private final URI events;
    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(PATIENCE).build();
    private final CompletableFuture<RunUpdate> first = new CompletableFuture<>();
    private final Thread reader;
    private volatile boolean closed;
    private volatile InputStream open;
    private volatile RunUpdate whole;
    private volatile String trouble = "";

    /**
     * Connects, and waits for the run as it stands.
     *
     * @param page address of the page, as printed at the run's start
     * @throws IOException with one line, if no page answers there
     */
    public PageClient(URI page) throws IOException {
        events = page.resolve("/events");
        InputStream stream;
        try {
            stream = connect();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        reader = new Thread(() -> follow(stream), "page-client");
        reader.setDaemon(true);
        reader.start();
        try {
            first.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            close();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (ExecutionException | TimeoutException e) {
            close();
            throw new IOException(
                    page + " tells of no run within " + PATIENCE.toSeconds()
                            + " s; give the address that `train` printed",
                    e);
        }
    }

    private InputStream connect() throws IOException, InterruptedException {
        HttpResponse<InputStream> response;
        try {
            response = client.send(
                    HttpRequest.newBuilder(events)
                            .header("Accept", "text/event-stream")
                            .timeout(PATIENCE)
                            .build(),
                    BodyHandlers.ofInputStream());
        } catch (IOException e) {
            String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            throw new IOException(
                    "no page at " + events.resolve("/") + " (" + why + "); give the address that `train` printed", e);
        }
        String type = response.headers().firstValue("Content-Type").orElse("");
        if (response.statusCode() != 200 || !type.startsWith("text/event-stream")) {
            response.body().close();
            throw new IOException(events + " answers " + response.statusCode() + " " + type
                    + ", which no page of a run does; give the address that `train` printed");
        }
        open = response.body();
        return open;
    }

    private void follow(InputStream connected) {
        InputStream stream = connected;
        while (!closed) {
            try {
                read(stream == null ? connect() : stream);
                trouble = "the page has closed the connection";
            } catch (IOException e) {
                trouble = e.getMessage();
                log.debug("{}", events, e);
            } catch (InterruptedException e) {
                return;
            }
            stream = null;
            try {
                Thread.sleep(RETRY_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void read(InputStream stream) throws IOException {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith(DATA)) {
                    RunUpdate update = PageJson.read(line.substring(DATA.length()), EventStream.Piece.class)
                            .run();
                    whole = whole == null ? update : whole.then(update);
                    trouble = "";
                    first.complete(update);
                }
            }
        }
    }

    /** The run as far as it is known here, with all of its curves. */
    public RunUpdate run() {
        return whole;
    }

    /** Why nothing comes at this moment; empty while it does. */
    public String trouble() {
        return trouble;
    }

    @Override
    public void close() {
        closed = true;
        reader.interrupt();
        try {
            InputStream stream = open;
            if (stream != null) {
                stream.close();
            }
        } catch (IOException e) {
            log.debug("closing {}", events, e);
        }
    }
}
