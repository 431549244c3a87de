package io.rasterflow.streams.feed;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * The samples of a WebDataset tar as it streams in: consecutive files whose paths agree up to the first dot of the file name
 * are one sample, with its image ({@code .png}, {@code .jpg}, {@code .webp}, {@code .gif} …), label ({@code .cls}) and caption
 * ({@code .txt}). Holds one sample at a time; nothing is written to where its paths point.
 */
final class TarArrivals {

    private static final Set<String> IMAGES = Set.of("png", "jpg", "jpeg", "jpe", "webp", "gif");
    private static final int MAX_LABEL_BYTES = 32;
    private static final int MAX_REST_BYTES = 1 << 20;
    /** Names that a header may be followed by are held in memory. */
    private static final int MAX_HEADER_BYTES = 1 << 20;

    private final Metered stream;
    private final TarArchiveInputStream tar;
    private final int maxImageBytes;
    private TarArchiveEntry entry;

    /**
     * A sample of the tar.
     *
     * @param fault why it is not taken, or null
     * @param arrival what is to be taken, or null
     */
    record Item(String key, Arrival arrival, Refusal fault) {}

    TarArrivals(InputStream stream, int maxImageBytes) throws IOException {
        this.stream = new Metered(stream);
        this.tar = new TarArchiveInputStream(this.stream, StandardCharsets.UTF_8.name());
        this.maxImageBytes = maxImageBytes;
        advance();
    }

    /**
     * The next sample that has an image, checked; empty at the end, when the stream was read to its end too.
     *
     * @throws IOException if it is no tar, ends early, or nothing comes for too long
     */
    Optional<Item> next() throws IOException {
        while (entry != null) {
            Optional<Item> item = sample(key(entry));
            if (item.isPresent()) {
                return item;
            }
        }
        stream.allow(MAX_REST_BYTES);
        stream.transferTo(OutputStream.nullOutputStream());
        return Optional.empty();
    }

    /** Reads the files of one sample; leaves {@link #entry} at the next one's first. */
    private Optional<Item> sample(String key) throws IOException {
        byte[] image = null;
        int label = Arrival.NO_LABEL;
        String caption = "";
        Refusal fault = null;
        for (; entry != null && key(entry).equals(key); advance()) {
            String extension = extension(entry);
            try {
                if (!entry.isFile() || entry.isSparse()) {
                    continue;
                } else if (IMAGES.contains(extension) && image == null) {
                    image = new byte[0];
                    image = read("image", maxImageBytes);
                } else if (extension.equals("cls")) {
                    label = Arrival.label(text("label", MAX_LABEL_BYTES));
                } else if (extension.equals("txt")) {
                    caption = text("caption", Arrival.MAX_CAPTION_BYTES);
                }
            } catch (Refusal e) {
                fault = e;
            }
        }
        if (image == null) {
            return Optional.empty();
        }
        if (fault == null) {
            try {
                return Optional.of(
                        new Item(key, new Arrival("", key, label, caption, image).checked(maxImageBytes), null));
            } catch (Refusal e) {
                fault = e;
            }
        }
        return Optional.of(new Item(key, null, fault));
    }

    private void advance() throws IOException {
        stream.allow(MAX_HEADER_BYTES + (entry == null ? 0 : entry.getSize()));
        try {
            entry = tar.getNextEntry();
        } catch (IllegalArgumentException e) { // A header that makes no sense.
            throw new IOException(e.getMessage(), e);
        }
    }

    private byte[] read(String what, int maxBytes) throws IOException, Refusal {
        if (entry.getSize() > maxBytes) {
            throw new Refusal(
                    Refusal.Kind.TOO_LARGE,
                    "the " + what + " has " + entry.getSize() + " bytes but at most " + maxBytes + " are taken");
        }
        stream.allow(entry.getSize() + MAX_HEADER_BYTES);
        byte[] bytes = tar.readNBytes((int) entry.getSize());
        if (bytes.length < entry.getSize()) {
            throw new IOException("the tar ends inside " + Arrival.printable(entry.getName()));
        }
        return bytes;
    }

    private String text(String what, int maxBytes) throws IOException, Refusal {
        return new String(read(what, maxBytes), StandardCharsets.UTF_8).strip();
    }

    private static String key(TarArchiveEntry entry) {
        String path = entry.getName();
        int dot = path.indexOf('.', path.lastIndexOf('/') + 1);
        return dot < 0 ? path : path.substring(0, dot);
    }

    private static String extension(TarArchiveEntry entry) {
        String path = entry.getName();
        int dot = path.indexOf('.', path.lastIndexOf('/') + 1);
        return path.substring(dot + 1).toLowerCase(Locale.ROOT);
    }

    /** Ends a header that would have whatever follows it read into memory. */
    private static final class Metered extends FilterInputStream {
        private long left;

        private Metered(InputStream in) {
            super(in);
        }

        private void allow(long bytes) {
            left = bytes;
        }

        @Override
        public int read() throws IOException {
            int value = in.read();
            spend(value < 0 ? 0 : 1);
            return value;
        }

        @Override
        public int read(byte[] target, int from, int length) throws IOException {
            int got = in.read(target, from, length);
            spend(Math.max(0, got));
            return got;
        }

        @Override
        public long skip(long bytes) throws IOException {
            long skipped = in.skip(bytes);
            spend(skipped);
            return skipped;
        }

        private void spend(long bytes) throws IOException {
            left -= bytes;
            if (left < 0) {
                throw new IOException("a header or what follows the end is absurdly long");
            }
        }
    }
}
