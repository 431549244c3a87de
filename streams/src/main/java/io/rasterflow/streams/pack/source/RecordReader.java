package io.rasterflow.streams.pack.source;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Reads the records of a text file from any of them on: lines, or in a file with quotes also several lines where a quoted
 * value goes on. Blank ones are passed over.
 */
final class RecordReader implements Closeable {

    private static final int MAX_BYTES = 1 << 20;

    private final Path file;
    private final FileChannel channel;
    private final boolean quotes;
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16).flip();
    private long bufferEnd;

    RecordReader(Path file, boolean quotes) throws IOException {
        this.file = file;
        this.quotes = quotes;
        this.channel = FileChannel.open(file, StandardOpenOption.READ);
    }

    /** Where the next record, or blank lines before it, begins. */
    long offset() {
        return bufferEnd - buffer.remaining();
    }

    void seek(long offset) {
        buffer.limit(0);
        bufferEnd = offset;
    }

    /**
     * The next record without its end of line; empty at the end.
     *
     * @throws IOException one line, also if it is absurdly long
     */
    Optional<String> next() throws IOException {
        ByteArrayOutputStream record = new ByteArrayOutputStream(256);
        boolean quoted = false;
        long start = offset();
        for (int b = read(); b >= 0; b = read()) {
            if (b == '\n' && !quoted) {
                String text = text(record);
                if (!text.isBlank()) {
                    return Optional.of(text);
                }
                record.reset();
                start = offset();
                continue;
            }
            quoted ^= quotes && b == '"';
            record.write(b);
            if (record.size() > MAX_BYTES) {
                throw new IOException(file + " at byte " + start + ": a line of more than " + MAX_BYTES + " bytes"
                        + (quoted ? ", or a quote without its end" : "") + "; check that it is a list of URLs");
            }
        }
        String text = text(record);
        return text.isBlank() ? Optional.empty() : Optional.of(text);
    }

    private static String text(ByteArrayOutputStream record) {
        String text = record.toString(StandardCharsets.UTF_8);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    private int read() throws IOException {
        if (!buffer.hasRemaining()) {
            buffer.clear();
            int got = channel.read(buffer, bufferEnd);
            buffer.flip();
            if (got <= 0) {
                return -1;
            }
            bufferEnd += got;
        }
        return buffer.get() & 0xFF;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
