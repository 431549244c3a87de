package io.rasterflow.tests.streams;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** A sender of images. */
final class FeedClient {

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();
    private final URI address;
    private final String[] headers;

    /** @param headers names and values that each request has */
    FeedClient(URI address, String... headers) {
        this.address = address;
        this.headers = headers;
    }

    /** An answer; its body is always one JSON object. */
    record Answer(int status, JsonNode json, HttpResponse<String> response) {

        long sequence() {
            return json.required("sequence").asLong();
        }

        String error() {
            return json.path("error").asText();
        }
    }

    Answer image(String query, byte[] image) throws IOException, InterruptedException {
        return post("image/png", query, HttpRequest.BodyPublishers.ofByteArray(image));
    }

    Answer tar(byte[] tar) throws IOException, InterruptedException {
        return post("application/x-tar", "", HttpRequest.BodyPublishers.ofByteArray(tar));
    }

    Answer post(String type, String query, HttpRequest.BodyPublisher body, String... more)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(address.resolve("/images" + query))
                .header("Content-Type", type)
                .POST(body);
        return send(request, more);
    }

    JsonNode status() throws IOException, InterruptedException {
        return get("/status").json();
    }

    Answer get(String path) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(address.resolve(path)).GET());
    }

    private Answer send(HttpRequest.Builder request, String... more) throws IOException, InterruptedException {
        if (headers.length > 0) {
            request.headers(headers);
        }
        if (more.length > 0) {
            request.headers(more);
        }
        HttpResponse<String> response =
                http.send(request.timeout(Duration.ofSeconds(30)).build(), HttpResponse.BodyHandlers.ofString());
        return new Answer(response.statusCode(), new ObjectMapper().readTree(response.body()), response);
    }
}
