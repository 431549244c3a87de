package io.rasterflow.streams.feed;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Makes sure that a buffer has one receiver. The operating system frees it when its process dies. */
final class ReceiverLock implements AutoCloseable {

    private final FileChannel channel;

    private ReceiverLock(FileChannel channel) {
        this.channel = channel;
    }

    /** @throws IOException naming the process that has the buffer */
    static ReceiverLock take(Path directory) throws IOException {
        Path file = FeedFiles.lock(directory);
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = tryLock(channel);
            if (lock == null) {
                throw new IOException(
                        "another receiver (process " + Files.readString(file).strip() + ") writes to " + directory
                                + "; stop it or choose another --dir");
            }
            channel.truncate(0);
            byte[] owner = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
            channel.write(ByteBuffer.wrap(owner));
            return new ReceiverLock(channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // Held by this very process.
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
