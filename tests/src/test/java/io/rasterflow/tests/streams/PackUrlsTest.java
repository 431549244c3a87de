package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.streams.pack.Compression;
import io.rasterflow.streams.pack.PackReport;
import io.rasterflow.streams.pack.Packer;
import io.rasterflow.streams.pack.source.FetchConfig;
import io.rasterflow.streams.pack.source.UrlSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PackUrlsTest {

    @TempDir
    Path folder;

    private ImageServer server;

    @BeforeEach
    void start() throws IOException {
        server = new ImageServer();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static FetchConfig fetching(long timeoutMillis) {
        return new FetchConfig(8, 4, 100_000, timeoutMillis, 1, 1, false);
    }

    private UrlSource open(Path list) throws IOException {
        return UrlSource.open(list, fetching(20_000), "1.2.3");
    }

    private Path list(String name, List<String> lines) throws IOException {
        return Files.write(folder.resolve(name), lines);
    }

    private PackReport pack(Path list, boolean retryFailed) throws IOException {
        try (UrlSource source = open(list)) {
            return Packer.pack(
                    source,
                    PackData.config(5, Compression.NONE, OptionalLong.empty(), false),
                    folder.resolve("out"),
                    retryFailed,
                    (done, total) -> {});
        }
    }

    /** Causes by the end of the URL. */
    private Map<String, String> causes() throws IOException {
        Map<String, String> causes = new HashMap<>();
        for (String line : Files.readAllLines(folder.resolve("out/failures.jsonl"))) {
            JsonNode failure = new ObjectMapper().readTree(line);
            String origin = failure.path("origin").asText();
            causes.put(
                    origin.substring(origin.lastIndexOf('/') + 1),
                    failure.path("cause").asText());
        }
        return causes;
    }

    @Test
    void whatCanBeHadIsPackedWithoutGapsAndWhatCannotIsListedWithItsCause() throws Exception {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            lines.add(server.url("/img/" + i + ".jpg") + " " + i % 2);
        }
        List<String> bad = List.of(
                "/missing",
                "/text",
                "/large",
                "/endless",
                "/loop",
                "/noai",
                "/short",
                "/cut.jpg",
                "/broken",
                "/to-file");
        for (int i = 0; i < bad.size(); i++) {
            lines.add(2 * i % lines.size(), server.url(bad.get(i)));
        }
        lines.add(server.url("/flaky/20.jpg"));
        lines.add(server.url("/moved/21.jpg"));
        lines.add(server.url("/otherbot/22.jpg"));
        lines.add("ftp://example.org/a.jpg");
        lines.add("");
        PackReport report = pack(list("list.txt", lines), false);
        assertEquals(11, report.samples());
        assertEquals(bad.size() + 1, report.failed());
        assertEquals(3, report.shards().size(), "full shards of 5, and the rest");
        Map<String, byte[]> packed = new LinkedHashMap<>();
        for (Path shard : report.shards()) {
            packed.putAll(PackData.entries(shard));
        }
        for (int i = 0; i < 23; i++) {
            byte[] jpeg = PackData.jpeg(i);
            boolean wanted = i < 8 || i >= 20;
            assertEquals(wanted, packed.values().stream().anyMatch(bytes -> Arrays.equals(bytes, jpeg)), "" + i);
        }
        Map<String, String> causes = causes();
        assertEquals("HTTP 404", causes.get("missing"));
        assertEquals("HTTP 503 (2 attempts)", causes.get("broken"));
        assertEquals("more than 5 redirects", causes.get("loop"));
        assertTrue(causes.get("text").startsWith("neither "), causes.toString());
        assertTrue(causes.get("cut.jpg").startsWith("JPEG is cut short"), causes.toString());
        assertEquals("200000 bytes, larger than --max-bytes (100000)", causes.get("large"));
        assertEquals("larger than --max-bytes (100000)", causes.get("endless"));
        assertTrue(causes.get("noai").startsWith("X-Robots-Tag: noai"), causes.toString());
        assertTrue(causes.get("short").endsWith("(2 attempts)"), causes.toString());
        assertTrue(causes.get("to-file").startsWith("no http or https address: file:/"), causes.toString());
        assertTrue(causes.get("a.jpg").startsWith("no http or https address: ftp://"), causes.toString());
        assertEquals(1, server.requests("/missing"), "a 404 does not pass");
        assertEquals(2, server.requests("/flaky/20.jpg"));
        assertEquals(6, server.requests("/loop"));
        assertEquals("rasterflow/1.2.3", server.userAgent());
        assertTrue(server.mostAtATime() <= 4, "per host: " + server.mostAtATime());
    }

    @Test
    void retryingPacksWhatSucceedsNowIntoFurtherShards() throws Exception {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            lines.add(server.url(i % 3 == 1 ? "/later/" + i + ".jpg" : "/img/" + i + ".jpg"));
        }
        lines.add(server.url("/missing"));
        Path list = list("list.txt", lines);
        PackReport first = pack(list, false);
        assertEquals(5, first.samples());
        assertEquals(3, first.failed());
        byte[] shard = Files.readAllBytes(first.shards().get(0));

        server.openLater();
        int requests = server.requests("/img/0.jpg");
        PackReport untouched = pack(list, false);
        assertEquals(5, untouched.samples(), "without --retry-failed nothing is tried again");
        PackReport second = pack(list, true);
        assertEquals(7, second.samples());
        assertEquals(1, second.failed());
        assertEquals(2, second.shards().size());
        assertEquals(requests, server.requests("/img/0.jpg"), "what was packed is not fetched again");
        assertArrayEquals(shard, Files.readAllBytes(first.shards().get(0)));
        assertEquals(
                List.of("00000001.json", "00000001.jpg", "00000004.json", "00000004.jpg").stream()
                        .sorted()
                        .toList(),
                PackData.entries(second.shards().get(1)).keySet().stream()
                        .sorted()
                        .toList());
        assertEquals(Map.of("missing", "HTTP 404"), causes());
    }

    @Test
    void aServerThatStallsCostsItsTimeLimitOnly() throws Exception {
        Path list = list("list.txt", List.of(server.url("/stall"), server.url("/stall-in-body")));
        try (UrlSource source = UrlSource.open(list, fetching(300), "1.2.3")) {
            IOException e = assertThrows(
                    IOException.class,
                    () -> Packer.pack(
                            source,
                            PackData.config(5, Compression.NONE, OptionalLong.empty(), false),
                            folder.resolve("out"),
                            false,
                            (done, total) -> {}));
            assertTrue(e.getMessage().startsWith("none of the 2 images could be packed; the first, "), e.getMessage());
        }
        assertEquals("no answer within --timeout (300 ms) (2 attempts)", causes().get("stall"));
        assertEquals("no answer within --timeout (300 ms) (2 attempts)", causes().get("stall-in-body"));
    }

    @Test
    void columnsBecomeFilesOfTheSampleAndSecretsStayOut() throws Exception {
        String secret = server.url("/img/1.jpg").replace("http://", "http://anna:hunter2@") + "?token=t0psecret&x=1";
        Path csv = list(
                "list.csv",
                List.of(
                        "URL,TEXT,label,score",
                        server.url("/img/0.jpg") + ",\"a \"\"cat\"\",",
                        " on two lines\",cat,0.25",
                        secret + ",a dog,dog,1e9",
                        secret.replace("1.jpg", "missing") + ",,,",
                        server.url("/img/2.jpg") + ",too few"));
        PackReport report = pack(csv, false);
        assertEquals(2, report.samples());
        assertEquals(2, report.classes());
        Map<String, byte[]> packed = PackData.entries(report.shards().get(0));
        assertEquals(
                List.of(
                        "00000000.cls",
                        "00000000.jpg",
                        "00000000.txt",
                        "00000000.json",
                        "00000001.cls",
                        "00000001.jpg",
                        "00000001.txt",
                        "00000001.json"),
                List.copyOf(packed.keySet()));
        assertEquals("a \"cat\",\n on two lines", text(packed.get("00000000.txt")));
        JsonNode first = new ObjectMapper().readTree(packed.get("00000000.json"));
        assertEquals(0.25, first.path("score").doubleValue());
        assertEquals(server.url("/img/0.jpg"), first.path("url").asText());
        assertEquals("1", text(packed.get("00000001.cls")), "classes are numbered in their alphabetic order");
        assertEquals("Basic YW5uYTpodW50ZXIy", server.authorization());
        for (Map.Entry<String, byte[]> file :
                PackData.visible(folder.resolve("out")).entrySet()) {
            String content = new String(file.getValue(), StandardCharsets.ISO_8859_1);
            assertFalse(content.contains("hunter2") || content.contains("t0psecret"), file.getKey());
        }
        assertTrue(text(packed.get("00000001.json")).contains("://***@"));
        assertEquals("2 values for 4 columns", causes().get("list.csv record 3"));
    }

    @Test
    void jsonLinesAreReadFromAnyRecordOn() throws Exception {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 150; i++) {
            lines.add("{\"url\":\"" + server.url("/img/" + i + ".jpg") + "\",\"label\":" + i + ",\"caption\":null}");
        }
        lines.set(140, "no json");
        try (UrlSource source = open(list("list.jsonl", lines))) {
            assertEquals(150, source.size());
            for (int i : new int[] {149, 0, 1, 64, 63, 128, 70, 71}) {
                assertTrue(source.item(i).origin().endsWith("/img/" + i + ".jpg"), "" + i);
            }
            assertEquals("list.jsonl record 140", source.item(140).origin());
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
