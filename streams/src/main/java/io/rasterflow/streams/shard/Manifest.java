package io.rasterflow.streams.shard;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rasterflow.streams.storage.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The list of the shards of a data set with their counts and checksums, as {@code rasterflow data pack} writes it beside
 * them. Names are relative to the manifest, so the folder can be copied or uploaded anywhere.
 *
 * <pre>
 * {"version": 1, "format": "rasterflow-shards", "samples": 3500, "classes": ["cat", "dog"], "shards": [
 *   {"name": "train-00000.tar", "samples": 2000, "bytes": 41287680, "sha256": "9f86d081…"},
 *   {"name": "https://example.org/train-00001.tar", "samples": 1500}
 * ]}
 * </pre>
 *
 * {@code version}, {@code format}, {@code shards}, {@code name} and {@code samples} of a shard are needed; what is unknown is
 * ignored.
 *
 * @param shards in order
 * @param classes names of the labels 0, 1, …; empty if there are none
 */
public record Manifest(List<Shard> shards, List<String> classes) {

    /** The name that {@code data pack} gives to a manifest. */
    public static final String FILE_NAME = "manifest.json";

    /** {@link Shard#bytes} of a shard whose size is not known. */
    public static final long UNKNOWN_BYTES = -1;

    private static final int VERSION = 1;
    private static final String FORMAT = "rasterflow-shards";
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*://.*");
    private static final Set<String> SCHEMES = Set.of("file", "http", "https", "s3");
    private static final ObjectMapper MAPPER = new ObjectMapper()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /**
     * One shard.
     *
     * @param name path relative to the manifest, with {@code /}; or an absolute URI
     * @param samples images in it
     * @param bytes size of the file; {@link #UNKNOWN_BYTES} if it is not known
     * @param sha256 of the file, 64 lower-case hex digits; empty if it is not known
     */
    public record Shard(String name, int samples, long bytes, String sha256) {
        public Shard {
            requireName(name);
            if (samples < 0) {
                throw new IllegalArgumentException("shard " + name + " has " + samples + " samples");
            }
            if (bytes < UNKNOWN_BYTES) {
                throw new IllegalArgumentException("shard " + name + " has " + bytes + " bytes");
            }
            if (!sha256.isEmpty() && !SHA256.matcher(sha256).matches()) {
                throw new IllegalArgumentException(
                        "shard " + name + " has the sha256 '" + shown(sha256) + "', which is not 64 hex digits");
            }
        }
    }

    public Manifest {
        shards = List.copyOf(shards);
        classes = List.copyOf(classes);
        if (shards.isEmpty()) {
            throw new IllegalArgumentException("it lists no shards");
        }
        Set<String> names = new HashSet<>();
        for (Shard shard : shards) {
            if (!names.add(shard.name())) {
                throw new IllegalArgumentException("it lists the shard " + shard.name() + " twice");
            }
        }
    }

    /** Images in all shards together. */
    public long samples() {
        return shards.stream().mapToLong(Shard::samples).sum();
    }

    /**
     * Reads a file.
     *
     * @throws IOException one line, if it cannot be read or is no manifest
     */
    public static Manifest read(Path file) throws IOException {
        return parse(Files.readAllBytes(file), file.toString());
    }

    /**
     * Reads the content of a manifest.
     *
     * @param location where it came from, for messages
     * @throws IOException one line that names the location, if it is no manifest
     */
    public static Manifest parse(byte[] json, String location) throws IOException {
        try {
            JsonNode root = MAPPER.readTree(json);
            if (root == null
                    || !root.isObject()
                    || !FORMAT.equals(root.path("format").asText())) {
                throw new IllegalArgumentException("it has no \"format\": \"" + FORMAT + "\"");
            }
            long version = number(root, "version", -1);
            if (version != VERSION) {
                throw new IllegalArgumentException(
                        "its version is " + root.path("version") + " but this program reads version " + VERSION);
            }
            return parse(root);
        } catch (JsonProcessingException e) {
            throw new IOException(problem(location, "it is no JSON (" + e.getOriginalMessage() + ")"), e);
        } catch (IllegalArgumentException e) {
            throw new IOException(problem(location, e.getMessage()), e);
        }
    }

    private static String problem(String location, String fault) {
        return location + " is not a usable manifest: "
                + fault.lines().findFirst().orElse("") + "; make it with `rasterflow data pack` or correct it";
    }

    private static Manifest parse(JsonNode root) {
        if (!root.path("shards").isArray()) {
            throw new IllegalArgumentException("it has no list \"shards\"");
        }
        List<Shard> shards = new ArrayList<>();
        for (JsonNode shard : root.path("shards")) {
            if (!shard.path("name").isTextual()) {
                throw new IllegalArgumentException("shard " + shards.size() + " has no \"name\"");
            }
            String name = shard.path("name").asText();
            long samples = number(shard, "samples", -1);
            if (samples < 0 || samples > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(
                        "shard " + shown(name) + " needs \"samples\" between 0 and " + Integer.MAX_VALUE);
            }
            shards.add(new Shard(
                    name,
                    (int) samples,
                    number(shard, "bytes", UNKNOWN_BYTES),
                    shard.path("sha256").asText("").toLowerCase(Locale.ROOT)));
        }
        List<String> classes = new ArrayList<>();
        root.path("classes").forEach(name -> classes.add(name.asText()));
        Manifest manifest = new Manifest(shards, classes);
        long total = number(root, "samples", manifest.samples());
        if (total != manifest.samples()) {
            throw new IllegalArgumentException(
                    "it says " + total + " samples but its shards have " + manifest.samples() + " together");
        }
        return manifest;
    }

    private static long number(JsonNode node, String field, long missing) {
        JsonNode value = node.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return missing;
        }
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw new IllegalArgumentException(
                    "\"" + field + "\" is " + shown(value.toString()) + ", not a whole number");
        }
        return value.asLong();
    }

    /**
     * Writes the file, one line per shard.
     *
     * @throws IOException one line; nothing is left behind
     */
    public void write(Path file) throws IOException {
        AtomicFile.write(file, out -> {
            String head = "{\"version\": " + VERSION + ", \"format\": \"" + FORMAT + "\", \"samples\": " + samples()
                    + ", \"classes\": " + MAPPER.writeValueAsString(classes) + ", \"shards\": [\n";
            out.write(head.getBytes(StandardCharsets.UTF_8));
            for (int s = 0; s < shards.size(); s++) {
                String end = s + 1 < shards.size() ? ",\n" : "\n";
                out.write(
                        ("  " + MAPPER.writeValueAsString(json(shards.get(s))) + end).getBytes(StandardCharsets.UTF_8));
            }
            out.write("]}\n".getBytes(StandardCharsets.UTF_8));
        });
    }

    private static ObjectNode json(Shard shard) {
        ObjectNode node = MAPPER.createObjectNode();
        node.put("name", shard.name());
        node.put("samples", shard.samples());
        if (shard.bytes() != UNKNOWN_BYTES) {
            node.put("bytes", shard.bytes());
        }
        if (!shard.sha256().isEmpty()) {
            node.put("sha256", shard.sha256());
        }
        return node;
    }

    /**
     * Where a shard lies.
     *
     * @param location path or URI of the manifest; the query of a URI does not carry over
     * @return its name if that is a URI; else the name in the manifest's folder
     */
    public static String locate(String location, Shard shard) {
        if (SCHEME.matcher(shard.name()).matches()) {
            return shard.name();
        }
        boolean uri = SCHEME.matcher(location).matches();
        String path = uri && location.indexOf('?') >= 0 ? location.substring(0, location.indexOf('?')) : location;
        return path.substring(0, path.lastIndexOf('/') + 1) + shard.name();
    }

    /** The manifest may come from anywhere: a relative name stays in its folder. */
    private static void requireName(String name) {
        if (name.isBlank() || name.chars().anyMatch(c -> c < ' ' || c == '\\' || c == 0x7f)) {
            throw new IllegalArgumentException("'" + shown(name) + "' is no name of a shard");
        }
        if (SCHEME.matcher(name).matches()) {
            String scheme = name.substring(0, name.indexOf(':')).toLowerCase(Locale.ROOT);
            if (!SCHEMES.contains(scheme)) {
                throw new IllegalArgumentException("shard '" + shown(name) + "' has the scheme " + scheme
                        + ", which is not read; file, http, https and s3 are");
            }
        } else if (name.startsWith("/") || List.of(name.split("/")).contains("..")) {
            throw new IllegalArgumentException("shard '" + shown(name)
                    + "' leads out of the manifest's folder; name it relative to the manifest or by a URI");
        }
    }

    private static String shown(String text) {
        String printable = text.replaceAll("\\p{Cntrl}", "?");
        return printable.length() > 200 ? printable.substring(0, 200) + "…" : printable;
    }
}
