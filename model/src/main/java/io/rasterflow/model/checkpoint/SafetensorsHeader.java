package io.rasterflow.model.checkpoint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The checked header of a {@link Safetensors} file.
 *
 * @param dataStart byte of the file at which the data begin
 * @param entries tensors by name
 * @param metadata free-form strings
 */
record SafetensorsHeader(long dataStart, SortedMap<String, Entry> entries, Map<String, String> metadata) {
    static final String F32 = "F32";

    private static final String METADATA = "__metadata__";
    private static final Map<String, Integer> BYTES = Map.of(F32, Float.BYTES, "I64", Long.BYTES);
    private static final int LARGEST_HEADER = 100_000_000;
    private static final ObjectMapper JSON = new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

    /**
     * @param dtype F32 or I64
     * @param shape sizes, outermost first
     * @param begin first byte, counted from the start of the data
     * @param end byte after the last
     */
    record Entry(String dtype, long[] shape, long begin, long end) {}

    static SafetensorsHeader read(Path file, FileChannel channel) throws IOException {
        long size = channel.size();
        if (size < Long.BYTES) {
            throw new IOException(file + " is no safetensors file: it has only " + size + " bytes");
        }
        ByteBuffer prefix = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        Safetensors.readFully(channel, prefix, 0);
        long length = prefix.getLong(0);
        if (length < 2 || length > Math.min(LARGEST_HEADER, size - Long.BYTES)) {
            throw new IOException(file + " is no safetensors file or is cut off: its header should have "
                    + Long.toUnsignedString(length) + " bytes, the file has " + size);
        }
        ByteBuffer header = ByteBuffer.allocate((int) length);
        Safetensors.readFully(channel, header, Long.BYTES);
        long dataStart = Long.BYTES + length;
        try {
            return parse(header.array(), dataStart, size - dataStart);
        } catch (JsonProcessingException e) {
            throw new IOException(file + " has a broken header: " + e.getOriginalMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new IOException(file + " has a broken header: " + e.getMessage(), e);
        }
    }

    private static SafetensorsHeader parse(byte[] header, long dataStart, long dataBytes) throws IOException {
        JsonNode root = JSON.readTree(header);
        require(root != null && root.isObject(), "it is not a JSON object");
        SortedMap<String, Entry> entries = new TreeMap<>();
        Map<String, String> metadata = new TreeMap<>();
        for (Map.Entry<String, JsonNode> field : root.properties()) {
            if (field.getKey().equals(METADATA)) {
                for (Map.Entry<String, JsonNode> text : field.getValue().properties()) {
                    require(text.getValue().isTextual(), "metadata " + text.getKey() + " is not a string");
                    metadata.put(text.getKey(), text.getValue().textValue());
                }
            } else {
                entries.put(field.getKey(), entry(field.getKey(), field.getValue(), dataBytes));
            }
        }
        requireSeamless(entries, dataBytes);
        return new SafetensorsHeader(
                dataStart, Collections.unmodifiableSortedMap(entries), Collections.unmodifiableMap(metadata));
    }

    private static Entry entry(String name, JsonNode node, long dataBytes) {
        String what = "tensor " + name;
        String dtype = node.path("dtype").asText("missing");
        require(BYTES.containsKey(dtype), what + " has dtype " + dtype + ", but only F32 and I64 are read");
        JsonNode sizes = node.path("shape");
        require(sizes.isArray(), what + " has no shape");
        long[] shape = new long[sizes.size()];
        long bytes = BYTES.get(dtype);
        for (int i = 0; i < shape.length; i++) {
            shape[i] = integer(what + " shape", sizes.get(i));
            require(shape[i] >= 0, what + " has shape " + sizes + " with a negative size");
            long larger = shape[i];
            long smaller = bytes;
            require(
                    larger == 0 || smaller <= Integer.MAX_VALUE / larger,
                    what + " has shape " + sizes + ", which is more than 2 GiB");
            bytes = smaller * larger;
        }
        JsonNode offsets = node.path("data_offsets");
        require(offsets.isArray() && offsets.size() == 2, what + " has no data_offsets");
        long begin = integer(what + " data_offsets", offsets.get(0));
        long end = integer(what + " data_offsets", offsets.get(1));
        require(
                begin >= 0 && begin <= end && end <= dataBytes,
                what + " lies at bytes " + offsets + " but the data have " + dataBytes + "; the file may be cut off");
        require(
                end - begin == bytes,
                what + " of shape " + Arrays.toString(shape) + " needs " + bytes + " bytes but has " + (end - begin));
        return new Entry(dtype, shape, begin, end);
    }

    /** Tensors must neither overlap nor leave gaps, in which a file could hide something else. */
    private static void requireSeamless(SortedMap<String, Entry> entries, long dataBytes) {
        List<Map.Entry<String, Entry>> ordered = new ArrayList<>(entries.entrySet());
        ordered.sort(Comparator.comparingLong(
                        (Map.Entry<String, Entry> e) -> e.getValue().begin())
                .thenComparingLong(e -> e.getValue().end()));
        long end = 0;
        for (Map.Entry<String, Entry> entry : ordered) {
            long begin = entry.getValue().begin();
            require(
                    begin == end,
                    "tensor " + entry.getKey() + " begins at byte " + begin + " but the one before it ends at " + end);
            end = entry.getValue().end();
        }
        require(end == dataBytes, "the tensors have " + end + " bytes but " + dataBytes + " follow the header");
    }

    private static long integer(String what, JsonNode node) {
        require(node.isIntegralNumber() && node.canConvertToLong(), what + " has " + node + " where a number belongs");
        return node.longValue();
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }

    /** The header for tensors written in name order, padded with blanks to a multiple of 8 bytes. */
    static byte[] json(SortedMap<String, Tensor> tensors, Map<String, String> metadata) throws IOException {
        ObjectNode root = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode node = root.putObject(METADATA);
            metadata.forEach(node::put);
        }
        long begin = 0;
        for (Map.Entry<String, Tensor> tensor : tensors.entrySet()) {
            long[] shape = tensor.getValue().shape();
            long size = Arrays.stream(shape).reduce(1, Math::multiplyExact);
            int values = tensor.getValue().values().capacity();
            require(
                    size == values,
                    "tensor " + tensor.getKey() + " has " + values + " values for its shape " + Arrays.toString(shape));
            ObjectNode node = root.putObject(tensor.getKey()).put("dtype", F32);
            Arrays.stream(shape).forEach(node.putArray("shape")::add);
            node.putArray("data_offsets").add(begin).add(begin + size * Float.BYTES);
            begin += size * Float.BYTES;
        }
        String text = JSON.writeValueAsString(root);
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        return (text + " ".repeat(Math.floorMod(-bytes, Long.BYTES))).getBytes(StandardCharsets.UTF_8);
    }
}
