package io.rasterflow.streams.pack;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rasterflow.streams.shard.Manifest;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The memory of a packing: lines that are only ever appended, each synced before anything relies on it.
 *
 * <pre>
 * {"version":1,"arguments":{"--prefix":"train","--per-shard":"2000",…}}
 * {"checkpoint":{"pass":0,"next":1400,"samples":1391,"failed":9,…}}
 * {"checkpoint":{…},"shard":{"name":"train-00000.tar","samples":2000,"bytes":41287680,"sha256":"…"}}
 * </pre>
 *
 * A line with a shard is written when the file of that shard is complete under its temporary name: from then on the shard
 * counts, and whoever finds the line but not the shard renames the file. A last line without its newline was never written.
 * The lock on the file ends with the process, however it ends.
 */
final class PackJournal implements Closeable {

    private static final int VERSION = 1;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Path file;
    private final FileChannel channel;
    private final List<Manifest.Shard> shards = new ArrayList<>();
    private Checkpoint last = Checkpoint.START;

    private PackJournal(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Opens or begins a journal.
     *
     * @param arguments what the shards depend on, by the name of the option
     * @throws IOException one line, if another process packs there or has packed with other arguments
     */
    static PackJournal open(Path file, Map<String, String> arguments) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        PackJournal journal = new PackJournal(file, channel);
        try {
            journal.lock();
            journal.read(arguments);
            return journal;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private void lock() throws IOException {
        boolean locked;
        try {
            locked = channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            locked = false;
        }
        if (!locked) {
            throw new IOException(folder() + " is being packed by another process; wait for it or use another --out");
        }
    }

    private Path folder() {
        return file.toAbsolutePath().getParent();
    }

    private void read(Map<String, String> arguments) throws IOException {
        BufferedReader reader = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
        long size = channel.size();
        long good = 0;
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            long end = good + line.getBytes(StandardCharsets.UTF_8).length + 1;
            if (end > size) {
                break; // it was cut short
            }
            JsonNode node = parse(line, good);
            if (good == 0) {
                requireSame(node.path("arguments"), arguments);
            } else {
                last = MAPPER.treeToValue(node.path("checkpoint"), Checkpoint.class);
                if (node.has("shard")) {
                    shards.add(MAPPER.treeToValue(node.path("shard"), Manifest.Shard.class));
                }
            }
            good = end;
        }
        channel.truncate(good).position(good);
        if (good == 0) {
            ObjectNode header = MAPPER.createObjectNode().put("version", VERSION);
            header.set("arguments", MAPPER.valueToTree(arguments));
            append(header);
        }
    }

    private JsonNode parse(String line, long offset) throws IOException {
        try {
            JsonNode node = MAPPER.readTree(line);
            if (offset > 0
                    ? node.path("checkpoint").isObject()
                    : node.path("version").asInt() == VERSION) {
                return node;
            }
        } catch (JsonProcessingException e) {
            // Told below.
        }
        throw new IOException(
                file + " at byte " + offset + " is no line of a packing's journal; pack into another --out");
    }

    private void requireSame(JsonNode before, Map<String, String> now) throws IOException {
        Map<String, String> other = new LinkedHashMap<>();
        before.properties()
                .forEach(entry -> other.put(entry.getKey(), entry.getValue().asText()));
        for (Map.Entry<String, String> argument : now.entrySet()) {
            String value = other.remove(argument.getKey());
            if (!argument.getValue().equals(value)) {
                throw new IOException(
                        folder() + " was packed " + with(argument.getKey(), value) + ", and now it would be "
                                + with(argument.getKey(), argument.getValue())
                                + "; use another --out, or the same arguments to go on");
            }
        }
        if (!other.isEmpty()) {
            Map.Entry<String, String> first = other.entrySet().iterator().next();
            throw new IOException(folder() + " was packed " + with(first.getKey(), first.getValue())
                    + ", which is missing now; use another --out, or the same arguments to go on");
        }
    }

    private static String with(String name, String value) {
        return value == null ? "without " + name : "with " + name + " '" + value + "'";
    }

    /** Where the last run stopped. */
    Checkpoint last() {
        return last;
    }

    /** The shards that are finished. */
    List<Manifest.Shard> shards() {
        return List.copyOf(shards);
    }

    void commit(Checkpoint checkpoint) throws IOException {
        ObjectNode line = MAPPER.createObjectNode();
        line.set("checkpoint", MAPPER.valueToTree(checkpoint));
        append(line);
        last = checkpoint;
    }

    void commit(Checkpoint checkpoint, Manifest.Shard shard) throws IOException {
        ObjectNode line = MAPPER.createObjectNode();
        line.set("checkpoint", MAPPER.valueToTree(checkpoint));
        line.set("shard", MAPPER.valueToTree(shard));
        append(line);
        last = checkpoint;
        shards.add(shard);
    }

    private void append(ObjectNode line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((MAPPER.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8));
        long start = channel.position();
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        } catch (IOException e) {
            channel.truncate(start); // nothing may be appended to half a line
            throw AppendedFile.cannotWrite(file, e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
