package io.rasterflow.streams.feed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.streams.storage.AtomicFile;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * What is fixed when a buffer is made, because every reader depends on it; kept in {@code DIR/feed.json}.
 *
 * @param shardSamples S samples in every shard
 * @param maxImageBytes the largest encoded image that is taken
 */
public record FeedLayout(int shardSamples, int maxImageBytes) {

    /** Shards of 1,000 images of at most 16 MB. */
    public static final FeedLayout DEFAULT = new FeedLayout(1_000, 16_000_000);

    private static final int VERSION = 1;
    private static final long MIN_BLOCK_BYTES = 1 << 18;
    private static final ObjectMapper JSON = new ObjectMapper();

    public FeedLayout {
        if (shardSamples < 1 || shardSamples > 1_000_000) {
            throw new IllegalArgumentException("a feed's shard samples must be 1 to 1000000 but are " + shardSamples);
        }
        if (maxImageBytes < 1 || maxImageBytes > 200_000_000) {
            throw new IllegalArgumentException(
                    "the largest image of a feed must be 1 to 200000000 bytes but is " + maxImageBytes);
        }
    }

    /** The layout of the buffer in a folder, or the default if there is none yet. */
    public static FeedLayout of(Path directory) throws IOException {
        return Files.exists(FeedFiles.layout(directory)) ? read(directory) : DEFAULT;
    }

    /** How much of a (sparse) cycle file is mapped at a time: Chronicle lets a record take a quarter of it. */
    long blockBytes() {
        long needed = 4L * (maxImageBytes + FeedRecord.MAX_HEAD_BYTES);
        return Math.max(MIN_BLOCK_BYTES, Long.highestOneBit(needed - 1) << 1);
    }

    /**
     * The layout of an existing buffer.
     *
     * @throws FileNotFoundException if there is none
     */
    static FeedLayout read(Path directory) throws IOException {
        Path file = FeedFiles.layout(directory);
        try {
            JsonNode json = JSON.readTree(Files.readAllBytes(file));
            if (json.path("version").asInt() != VERSION) {
                throw new IOException(
                        file + " has version " + json.path("version").asText("none") + " but " + VERSION
                                + " is read; use the Rasterflow that made it");
            }
            return new FeedLayout(
                    json.path("shardSamples").asInt(),
                    json.path("maxImageBytes").asInt());
        } catch (NoSuchFileException e) {
            throw new FileNotFoundException(
                    "no feed in " + directory + "; start one with: rasterflow feed --dir " + directory);
        } catch (com.fasterxml.jackson.core.JsonProcessingException | IllegalArgumentException e) {
            throw new IOException(
                    file + " is damaged (" + e.getMessage().lines().findFirst().orElse("") + ")", e);
        }
    }

    void write(Path directory) throws IOException {
        String json = JSON.createObjectNode()
                .put("version", VERSION)
                .put("shardSamples", shardSamples)
                .put("maxImageBytes", maxImageBytes)
                .toString();
        AtomicFile.write(FeedFiles.layout(directory), out -> out.write((json + "\n").getBytes(StandardCharsets.UTF_8)));
    }
}
