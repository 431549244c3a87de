package io.rasterflow.model.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The checked header of a {@link Safetensors} file. It is read token by token and never as a tree, so that a hostile one
 * costs no more memory than its own length.
 *
 * @param dataStart byte of the file at which the data begin
 * @param entries tensors by name
 * @param metadata free-form strings
 */
record SafetensorsHeader(long dataStart, SortedMap<String, Range> entries, Map<String, String> metadata) {
    private static final String METADATA = "__metadata__";
    private static final int LARGEST_HEADER = 100_000_000;
    private static final int LARGEST_RANK = 16;
    private static final JsonFactory JSON = new JsonFactory();
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /**
     * Where a tensor lies.
     *
     * @param begin first byte, counted from the start of the data
     * @param end byte after the last
     */
    record Range(TensorFile.Entry entry, long begin, long end) {}

    static SafetensorsHeader read(MappedFile file) throws IOException {
        long size = file.size();
        if (size < Long.BYTES) {
            throw new IOException(file.file() + " is no safetensors file: it has only " + size + " bytes");
        }
        long length = file.slice(0, Long.BYTES).getLong(0);
        if (length < 2 || length > Math.min(LARGEST_HEADER, size - Long.BYTES)) {
            throw new IOException(file.file() + " is no safetensors file or is cut off: its header should have "
                    + Long.toUnsignedString(length) + " bytes, the file has " + size);
        }
        ByteBuffer bytes = file.slice(Long.BYTES, length);
        byte[] header = new byte[(int) length];
        bytes.get(header);
        long dataStart = Long.BYTES + length;
        try (JsonParser json = JSON.createParser(header)) {
            return parse(json, dataStart, size - dataStart);
        } catch (JsonProcessingException e) {
            String reason = e.getOriginalMessage().lines().findFirst().orElse("no JSON");
            throw new IOException(file.file() + " has a broken header: " + reason, e);
        } catch (IllegalArgumentException e) {
            throw new IOException(file.file() + " has a broken header: " + e.getMessage(), e);
        }
    }

    private static SafetensorsHeader parse(JsonParser json, long dataStart, long dataBytes) throws IOException {
        expect(json.nextToken(), JsonToken.START_OBJECT, "it is not a JSON object");
        SortedMap<String, Range> entries = new TreeMap<>();
        Map<String, String> metadata = new TreeMap<>();
        boolean described = false;
        for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
            if (name.equals(METADATA)) {
                require(!described, "it has " + METADATA + " twice");
                described = true;
                readMetadata(json, metadata);
            } else {
                Range before = entries.put(name, range(json, name, dataBytes));
                require(before == null, "tensor " + shown(name) + " stands in it twice");
            }
        }
        expect(json.currentToken(), JsonToken.END_OBJECT, "it does not end with a closing brace");
        require(json.nextToken() == null, "something follows its closing brace");
        requireSeamless(entries, dataBytes);
        return new SafetensorsHeader(
                dataStart, Collections.unmodifiableSortedMap(entries), Collections.unmodifiableMap(metadata));
    }

    private static void readMetadata(JsonParser json, Map<String, String> into) throws IOException {
        expect(json.nextToken(), JsonToken.START_OBJECT, METADATA + " is not an object");
        for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
            expect(json.nextToken(), JsonToken.VALUE_STRING, "metadata " + shown(name) + " is not a string");
            require(into.put(name, json.getText()) == null, "metadata " + shown(name) + " stands in it twice");
        }
    }

    private static Range range(JsonParser json, String name, long dataBytes) throws IOException {
        String what = "tensor " + shown(name);
        expect(json.nextToken(), JsonToken.START_OBJECT, what + " is not an object");
        String dtype = null;
        long[] shape = null;
        long[] offsets = null;
        for (String field = json.nextFieldName(); field != null; field = json.nextFieldName()) {
            switch (field) {
                case "dtype" -> {
                    require(dtype == null, what + " has two dtypes");
                    expect(json.nextToken(), JsonToken.VALUE_STRING, what + " has a dtype that is not a string");
                    dtype = json.getText();
                }
                case "shape" -> {
                    require(shape == null, what + " has two shapes");
                    shape = integers(json, what + " shape", LARGEST_RANK);
                }
                case "data_offsets" -> {
                    require(offsets == null, what + " has data_offsets twice");
                    offsets = integers(json, what + " data_offsets", 2);
                }
                default -> throw new IllegalArgumentException(what + " has the unknown field " + shown(field));
            }
        }
        require(dtype != null, what + " has no dtype");
        require(shape != null, what + " has no shape");
        require(offsets != null && offsets.length == 2, what + " has no data_offsets");
        return range(what, dtype, shape, offsets, dataBytes);
    }

    private static Range range(String what, String dtype, long[] shape, long[] offsets, long dataBytes) {
        ElementType type = ElementType.of(dtype)
                .orElseThrow(() -> new IllegalArgumentException(what + " has dtype " + shown(dtype)
                        + ", which is none of " + Arrays.toString(ElementType.values())));
        long bytes = type.bytes();
        for (long size : shape) {
            require(size >= 0, what + " has shape " + Arrays.toString(shape) + " with a negative size");
            require(
                    size == 0 || bytes <= Integer.MAX_VALUE / size,
                    what + " has shape " + Arrays.toString(shape) + ", which is more than 2 GiB");
            bytes *= size;
        }
        long begin = offsets[0];
        long end = offsets[1];
        require(
                begin >= 0 && begin <= end && end <= dataBytes,
                what + " lies at bytes " + Arrays.toString(offsets) + " but the data have " + dataBytes
                        + "; the file may be cut off");
        require(
                end - begin == bytes,
                what + " of type " + type + " and shape " + Arrays.toString(shape) + " needs " + bytes
                        + " bytes but has " + (end - begin));
        return new Range(new TensorFile.Entry(type, shape), begin, end);
    }

    private static long[] integers(JsonParser json, String what, int most) throws IOException {
        expect(json.nextToken(), JsonToken.START_ARRAY, what + " is not a list");
        long[] numbers = new long[most];
        int count = 0;
        while (json.nextToken() != JsonToken.END_ARRAY) {
            require(count < most, what + " has more than " + most + " numbers");
            boolean integer = json.currentToken() == JsonToken.VALUE_NUMBER_INT
                    && (json.getNumberType() == JsonParser.NumberType.INT
                            || json.getNumberType() == JsonParser.NumberType.LONG);
            require(integer, what + " has something else where a whole number of 64 bits belongs");
            numbers[count] = json.getLongValue();
            count++;
        }
        return Arrays.copyOf(numbers, count);
    }

    /** Tensors must neither overlap nor leave gaps, in which a file could hide something else. */
    private static void requireSeamless(SortedMap<String, Range> entries, long dataBytes) {
        List<Map.Entry<String, Range>> ordered = new ArrayList<>(entries.entrySet());
        ordered.sort(Comparator.comparingLong(
                        (Map.Entry<String, Range> e) -> e.getValue().begin())
                .thenComparingLong(e -> e.getValue().end()));
        long end = 0;
        for (Map.Entry<String, Range> entry : ordered) {
            long begin = entry.getValue().begin();
            require(
                    begin == end,
                    "tensor " + shown(entry.getKey()) + " begins at byte " + begin + " but the one before it ends at "
                            + end);
            end = entry.getValue().end();
        }
        require(end == dataBytes, "the tensors have " + end + " bytes but " + dataBytes + " follow the header");
    }

    /** A name from the file as it may stand in a message: one line, not endless. */
    static String shown(String name) {
        String line = name.length() > 120 ? name.substring(0, 120) + "..." : name;
        return line.replaceAll("\\p{Cntrl}", "?");
    }

    private static void expect(JsonToken token, JsonToken expected, String message) {
        require(token == expected, message);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }

    /** The header for tensors written in name order, padded with blanks to a multiple of 8 bytes. */
    static byte[] json(SortedMap<String, Tensor> tensors, Map<String, String> metadata) throws IOException {
        ObjectNode root = MAPPER.createObjectNode();
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
            ObjectNode node = root.putObject(tensor.getKey()).put("dtype", ElementType.F32.name());
            Arrays.stream(shape).forEach(node.putArray("shape")::add);
            node.putArray("data_offsets").add(begin).add(begin + size * Float.BYTES);
            begin += size * Float.BYTES;
        }
        String text = MAPPER.writeValueAsString(root);
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        return (text + " ".repeat(Math.floorMod(-bytes, Long.BYTES))).getBytes(StandardCharsets.UTF_8);
    }
}
