package io.rasterflow.streams.format;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Decompresses gzip of any number of members, and says exactly how far it got.
 *
 * <pre>
 *  member:  | 1f 8b 08 | flags | time 4 B | xfl, os | extra, name, comment by flags | deflate ... | CRC-32 | size |
 *  little-endian; zero bytes may follow the last member, as tapes and block devices leave them
 * </pre>
 */
final class Gunzip {

    private static final int BUFFER = 1 << 16;
    private static final int HEADER_CRC = 2;
    private static final int EXTRA = 4;
    private static final int NAME = 8;
    private static final int COMMENT = 16;

    private final InputStream in;
    private final OutputStream out;
    private final byte[] input = new byte[BUFFER];
    private final byte[] output = new byte[BUFFER];
    private final CRC32 crc = new CRC32();
    private int from;
    private int to;
    private long written;

    private Gunzip(InputStream in, OutputStream out) {
        this.in = in;
        this.out = out;
    }

    /**
     * Writes everything that can be decompressed.
     *
     * @return where that ended too early, if it did
     */
    static Optional<Damage> expand(InputStream in, OutputStream out) throws IOException {
        return new Gunzip(in, out).run();
    }

    private Optional<Damage> run() throws IOException {
        Inflater inflater = new Inflater(true);
        try {
            for (boolean first = true; first || another(); first = false) {
                long start = written;
                inflater.reset();
                try {
                    Optional<String> fault = member(inflater, start);
                    if (fault.isPresent()) {
                        return Optional.of(new Damage(start, fault.get()));
                    }
                } catch (Cut e) {
                    return Optional.of(new Damage(written, "the gzip stream is cut short"));
                }
            }
            return Optional.empty();
        } finally {
            inflater.end();
        }
    }

    /** Whether anything but padding follows. */
    private boolean another() throws IOException {
        while (from < to || fill()) {
            if (input[from] != 0) {
                return true;
            }
            from++;
        }
        return false;
    }

    /** Returns what is wrong with the member. */
    private Optional<String> member(Inflater inflater, long start) throws IOException {
        if (next() != 0x1f || next() != 0x8b || next() != 8) {
            return Optional.of("bytes that are no gzip member");
        }
        skipHeader();
        crc.reset();
        try {
            inflate(inflater);
        } catch (DataFormatException e) {
            return Optional.of("the gzip stream is broken (" + e.getMessage() + ", found after " + (written - start)
                    + " bytes of this member)");
        }
        from = to - inflater.getRemaining();
        long expectedCrc = little(4);
        long expectedSize = little(4);
        return expectedCrc == crc.getValue() && expectedSize == (written - start & 0xFFFFFFFFL)
                ? Optional.empty()
                : Optional.of("the gzip stream does not have the checksum that it promises");
    }

    private void skipHeader() throws IOException {
        int flags = next();
        little(6);
        if ((flags & EXTRA) != 0) {
            for (long left = little(2); left > 0; left--) {
                next();
            }
        }
        for (int text = NAME; text <= COMMENT; text <<= 1) {
            while ((flags & text) != 0 && next() != 0) {
                // The name or the comment ends with a zero byte.
            }
        }
        if ((flags & HEADER_CRC) != 0) {
            little(2);
        }
    }

    private void inflate(Inflater inflater) throws IOException, DataFormatException {
        while (!inflater.finished()) {
            if (inflater.needsInput()) {
                if (from == to && !fill()) {
                    throw new Cut();
                }
                inflater.setInput(input, from, to - from);
                from = to;
            }
            int got = inflater.inflate(output);
            crc.update(output, 0, got);
            out.write(output, 0, got);
            written += got;
            if (got == 0 && inflater.needsDictionary()) {
                throw new DataFormatException("it needs a dictionary");
            }
        }
    }

    private long little(int bytes) throws IOException {
        long value = 0;
        for (int shift = 0; shift < 8 * bytes; shift += 8) {
            value |= (long) next() << shift;
        }
        return value;
    }

    private int next() throws IOException {
        if (from == to && !fill()) {
            throw new Cut();
        }
        return input[from++] & 0xFF;
    }

    private boolean fill() throws IOException {
        from = 0;
        to = Math.max(0, in.read(input));
        return to > 0;
    }

    /** The input has ended. */
    private static final class Cut extends IOException {
        private static final long serialVersionUID = 1L;
    }
}
