package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.shard.Manifest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PackManifestTest {

    private static final String HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    @Test
    void whatIsWrittenIsRead(@TempDir Path folder) throws IOException {
        Manifest manifest = new Manifest(
                List.of(
                        new Manifest.Shard("train-00000.tar", 2000, 12345, HASH),
                        new Manifest.Shard("https://example.org/a b/x.tar", 5, Manifest.UNKNOWN_BYTES, "")),
                List.of("cat", "\"dog\"\n"));
        Path file = folder.resolve("manifest.json");
        manifest.write(file);
        assertEquals(manifest, Manifest.read(file));
        assertEquals(2005, manifest.samples());
    }

    @Test
    void aHandWrittenOneNeedsNamesAndCounts() throws IOException {
        Manifest manifest = parse("{'version':1,'format':'rasterflow-shards','made by':'hand',"
                + "'shards':[{'name':'sub/a.tar','samples':7,'colour':'red'}]}");
        assertEquals(List.of(new Manifest.Shard("sub/a.tar", 7, Manifest.UNKNOWN_BYTES, "")), manifest.shards());
        assertEquals(List.of(), manifest.classes());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            textBlock =
                    """
                    not json                                                              | it is no JSON
                    {'version':1,'format':'other','shards':[]}                            | it has no "format"
                    {'version':2,'format':'rasterflow-shards','shards':[]}                | its version is 2
                    {'version':1,'format':'rasterflow-shards'}                            | it has no list "shards"
                    {'version':1,'format':'rasterflow-shards','shards':[]}                | it lists no shards
                    {'version':1,'format':'rasterflow-shards','shards':[{'samples':1}]}   | shard 0 has no "name"
                    {'version':1,'format':'rasterflow-shards','shards':[{'name':'a'}]}    | needs "samples"
                    {'version':1,'format':'rasterflow-shards','shards':[{'name':'a','samples':1.5}]} | not a whole number
                    {'version':1,'format':'rasterflow-shards','shards':[{'name':'../a','samples':1}]} | leads out
                    {'version':1,'format':'rasterflow-shards','shards':[{'name':'/etc/a','samples':1}]} | leads out
                    {'version':1,'format':'rasterflow-shards','shards':[{'name':'gopher://a','samples':1}]} | scheme gopher
                    {'version':1,'format':'rasterflow-shards','shards':[{'name':'a','samples':1,'sha256':'1'}]} | sha256 '1'
                    {'version':1,'format':'rasterflow-shards','shards':[{'name':'a','samples':1},{'name':'a','samples':1}]} | twice
                    {'version':1,'format':'rasterflow-shards','samples':3,'shards':[{'name':'a','samples':1}]} | it says 3 samples
                    """)
    void whatIsNoManifestIsRefusedInOneLine(String json, String fault) {
        IOException e = assertThrows(IOException.class, () -> parse(json));
        assertTrue(e.getMessage().startsWith("here/m.json is not a usable manifest: "), e.getMessage());
        assertTrue(e.getMessage().contains(fault), e.getMessage());
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "/data/manifest.json,            a.tar,               /data/a.tar",
        "manifest.json,                  sub/a.tar,           sub/a.tar",
        "s3://bucket/x/manifest.json,    a.tar,               s3://bucket/x/a.tar",
        "https://h/x/manifest.json?k=/v, a.tar,               https://h/x/a.tar",
        "/data/manifest.json,            s3://other/a.tar,    s3://other/a.tar"
    })
    void namesAreRelativeToTheManifest(String location, String name, String expected) {
        assertEquals(expected, Manifest.locate(location, new Manifest.Shard(name, 1, 1, "")));
    }

    private static Manifest parse(String json) throws IOException {
        return Manifest.parse(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8), "here/m.json");
    }
}
