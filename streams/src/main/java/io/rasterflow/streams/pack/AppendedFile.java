package io.rasterflow.streams.pack;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file that grows, and of which a checkpoint says how much counts. */
final class AppendedFile implements Closeable {

    private final Path file;
    private final FileChannel channel;
    private final OutputStream out;
    private long bytes;

    /**
     * Opens or creates a file and cuts off what does not count.
     *
     * @param bytes that count
     * @throws IOException one line, if the file is shorter
     */
    AppendedFile(Path file, long bytes) throws IOException {
        this.file = file;
        channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (channel.size() < bytes) {
            channel.close();
            throw new IOException(file + " has lost bytes since it was written; pack into another --out");
        }
        channel.truncate(bytes).position(bytes);
        out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
        this.bytes = bytes;
    }

    /** Length, with what is not on disk yet. */
    long bytes() {
        return bytes;
    }

    void write(byte[] content) throws IOException {
        try {
            out.write(content);
        } catch (IOException e) {
            throw cannotWrite(file, e);
        }
        bytes += content.length;
    }

    /** Returns when everything is on disk. */
    void sync() throws IOException {
        try {
            out.flush();
            channel.force(true);
        } catch (IOException e) {
            throw cannotWrite(file, e);
        }
    }

    static IOException cannotWrite(Path file, IOException cause) {
        return new IOException(
                "cannot write " + file + ": " + cause.getMessage()
                        + "; make room there and start the same command again, it goes on",
                cause);
    }

    @Override
    public void close() throws IOException {
        channel.close(); // what was not synced does not count
    }
}
