package io.rasterflow.streams.feed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.streams.storage.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a buffer from deleting what a training run still needs. A consumer writes how far it has come, at best with each
 * checkpoint, to {@code DIR/consumers/NAME}; the receiver deletes only shards that every consumer has passed. The file stays
 * when the consumer ends, so that it can go on from there, until {@link #unregister}.
 */
public final class FeedConsumer {

    private static final Logger log = LoggerFactory.getLogger(FeedConsumer.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NAME = "[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}";

    /**
     * How far a consumer has come.
     *
     * @param position the position of its last checkpoint, for people; see {@link FeedOrder}
     * @param firstShard the oldest shard that it may still read
     */
    public record Progress(String name, long position, long firstShard) {}

    private final Path file;

    private FeedConsumer(Path file) {
        this.file = file;
    }

    /**
     * Registers a consumer, or moves one of that name.
     *
     * @param name letters, digits, {@code . _ -}; one for each training run
     * @param position where it starts
     * @param firstShard the oldest shard that it needs from there, {@link FeedOrder#firstShard}
     * @throws DeletedSampleException if that shard is no longer kept
     */
    public static FeedConsumer register(Path directory, String name, long position, long firstShard)
            throws IOException {
        if (!name.matches(NAME)) {
            throw new IllegalArgumentException(
                    "a feed's consumer must be named by up to 64 letters, digits, '.', '_' and" + " '-' but is '"
                            + Arrival.printable(name) + "'");
        }
        FeedLayout layout = FeedLayout.read(directory);
        FeedConsumer consumer = new FeedConsumer(FeedFiles.consumers(directory).resolve(name));
        requireKept(directory, layout, firstShard);
        consumer.advance(position, firstShard);
        // Asked again: until it was written, the receiver could delete the shard.
        requireKept(directory, layout, firstShard);
        return consumer;
    }

    private static void requireKept(Path directory, FeedLayout layout, long firstShard) throws IOException {
        long oldest = FeedFiles.oldestShard(directory, SealedShards.count(directory));
        if (firstShard < oldest) {
            throw new DeletedSampleException(firstShard * layout.shardSamples(), oldest, layout.shardSamples());
        }
    }

    /** Says that nothing before {@code firstShard} is needed any more; on disk when it returns. */
    public void advance(long position, long firstShard) throws IOException {
        String json = JSON.createObjectNode()
                .put("position", position)
                .put("firstShard", firstShard)
                .toString();
        AtomicFile.write(file, out -> out.write((json + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    /** Says that nothing is needed any more, for good. */
    public void unregister() throws IOException {
        Files.deleteIfExists(file);
    }

    /** The consumers of a buffer, by name. One whose file cannot be read counts as needing everything. */
    public static List<Progress> list(Path directory) throws IOException {
        List<Progress> consumers = new ArrayList<>();
        try (Stream<Path> files = Files.list(FeedFiles.consumers(directory))) {
            for (Path file : files.sorted().toList()) {
                if (file.getFileName().toString().matches(NAME)) {
                    read(file, consumers);
                }
            }
        } catch (NoSuchFileException e) {
            return List.of();
        }
        return consumers;
    }

    private static void read(Path file, List<Progress> consumers) throws IOException {
        String name = file.getFileName().toString();
        try {
            JsonNode json = JSON.readTree(Files.readAllBytes(file));
            consumers.add(new Progress(
                    name,
                    json.required("position").asLong(),
                    json.required("firstShard").asLong()));
        } catch (NoSuchFileException e) {
            log.debug("{} was unregistered just now", name);
        } catch (com.fasterxml.jackson.core.JsonProcessingException | IllegalArgumentException e) {
            log.warn("{} is damaged: nothing is deleted until it is removed or its consumer registers again", file);
            consumers.add(new Progress(name, 0, 0));
        }
    }
}
