package io.rasterflow.streams.feed;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * The file {@code DIR/sealed}, to which the receiver appends an entry for each shard that is complete and on disk. Its length
 * says how many there are, which is all that readers want of it.
 *
 * <pre>
 *  16·k       16·k+8        16·k+12    16·k+16
 *  +----------+-------------+----------+
 *  | bytes u64| sealed, s u32| CRC-32C |   shard k: used bytes of its cycle file; seconds since 1970
 *  +----------+-------------+----------+
 *  big-endian; the CRC covers k as u64 and the 12 bytes before it
 * </pre>
 */
final class SealedShards implements AutoCloseable {

    private static final int ENTRY = 16;

    private final FileChannel channel;
    private long count;

    /** Opens the file for appending and drops an end that was only half written. */
    SealedShards(Path directory) throws IOException {
        channel = FileChannel.open(
                FeedFiles.sealed(directory),
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        try {
            count = channel.size() / ENTRY;
            while (count > 0 && !valid(count - 1)) {
                count--;
            }
            channel.truncate(count * ENTRY);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** The number of shards that are sealed, as a reader sees it. */
    static long count(Path directory) throws IOException {
        try {
            return Files.size(FeedFiles.sealed(directory)) / ENTRY;
        } catch (NoSuchFileException e) {
            return 0;
        }
    }

    long count() {
        return count;
    }

    /** Appends the next shard; returns when it is on disk. */
    void append(long bytes, long seconds) throws IOException {
        ByteBuffer entry = ByteBuffer.allocate(ENTRY).putLong(bytes).putInt((int) seconds);
        entry.putInt(crc(count, entry.array())).flip();
        while (entry.hasRemaining()) {
            channel.write(entry, count * ENTRY + entry.position());
        }
        channel.force(true);
        count++;
    }

    /** Bytes of one shard. */
    long bytes(long shard) throws IOException {
        return read(shard).getLong(0);
    }

    private boolean valid(long shard) throws IOException {
        ByteBuffer entry = read(shard);
        return entry.getInt(12) == crc(shard, entry.array());
    }

    private ByteBuffer read(long shard) throws IOException {
        ByteBuffer entry = ByteBuffer.allocate(ENTRY);
        while (entry.hasRemaining()) {
            if (channel.read(entry, shard * ENTRY + entry.position()) < 0) {
                throw new EOFException("the list of sealed shards was cut short while in use");
            }
        }
        return entry;
    }

    private static int crc(long shard, byte[] entry) {
        CRC32C crc = new CRC32C();
        crc.update(ByteBuffer.allocate(Long.BYTES).putLong(shard).flip());
        crc.update(entry, 0, 12);
        return (int) crc.getValue();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
