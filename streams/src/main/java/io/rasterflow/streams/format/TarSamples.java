package io.rasterflow.streams.format;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Finds the samples of an uncompressed WebDataset tar: consecutive files whose paths agree up to the first dot of the
 * file name are one sample. Its image is the {@code .png}, {@code .jpg}, {@code .jpeg}, {@code .webp} or {@code .gif} file,
 * its label that of {@link LabelRule}, its fields the {@code .json} and {@code .txt} files.
 *
 * <p>Names are nothing but keys, see {@link SampleKey#safe}: no file is ever made under them. Folders, links and devices are
 * no files.
 */
public final class TarSamples {

    /** Causes for which samples are left out. */
    public static final String NO_IMAGE = "no image";

    public static final String CUT_SHORT = "cut short";
    public static final String BAD_LABEL = "bad label";
    public static final String SPARSE = "sparse file";
    public static final String TOO_LARGE = "too large";

    private static final int MAX_LABEL_BYTES = 32;
    private static final int MAX_TEXT_BYTES = 1 << 20;

    private final TarReader tar;
    private final String shard;
    private final LabelRule labels;
    private final SampleSink sink;

    // The sample at hand
    private SampleKey key;
    private TarReader.Entry image;
    private final Map<String, TarReader.Entry> descriptions = new HashMap<>();
    private String brokenCause;
    private ShardFormatException fault;

    private TarSamples(TarReader tar, String shard, LabelRule labels, SampleSink sink) {
        this.tar = tar;
        this.shard = shard;
        this.labels = labels;
        this.sink = sink;
    }

    /**
     * Reads the headers of a tar.
     *
     * @param tar uncompressed tar
     * @param shard its name in messages
     * @param limit bytes of the tar from here on cannot be trusted and count as missing; {@link Long#MAX_VALUE} for none
     * @return where the tar is cut or damaged, if it is: the samples before that were found, the one that lies across it was
     *     left out
     * @throws IOException if the tar cannot be read at all, or from the sink
     */
    public static Optional<Damage> scan(Path tar, String shard, long limit, LabelRule labels, SampleSink sink)
            throws IOException {
        try (TarReader reader = new TarReader(tar, shard, limit)) {
            return new TarSamples(reader, shard, labels, sink).run();
        }
    }

    private Optional<Damage> run() throws IOException {
        while (true) {
            Optional<TarReader.Entry> entry;
            try {
                entry = tar.next();
            } catch (ShardFormatException e) {
                if (key != null) { // What belongs to it may be missing, its label for one.
                    sink.leftOut(CUT_SHORT);
                }
                return Optional.of(Damage.of(e));
            }
            if (entry.isEmpty()) {
                finishSample();
                return Optional.empty();
            }
            file(entry.get());
        }
    }

    private void file(TarReader.Entry file) throws IOException {
        Optional<SampleKey> name = SampleKey.of(file.path());
        if (file.kind() == TarReader.Kind.OTHER || name.isEmpty()) {
            return;
        }
        if (key == null || !key.group().equals(name.get().group())) {
            finishSample();
            key = name.get();
        }
        String extension = name.get().extension();
        if (file.kind() == TarReader.Kind.CUT) {
            return; // The tar ends here, and with it the sample at hand.
        }
        if (file.kind() == TarReader.Kind.SPARSE) {
            broken(SPARSE, file, "is stored as a sparse file", "make the tar without --sparse");
        } else if (SampleKey.isImage(extension) && image == null) {
            if (file.size() > Integer.MAX_VALUE - 8) {
                broken(TOO_LARGE, file, "has " + file.size() + " bytes", "leave it out");
            }
            image = file;
        } else if (extension.equals("cls") || extension.equals("json") || extension.equals("txt")) {
            descriptions.putIfAbsent(extension, file);
        }
    }

    private void finishSample() throws IOException {
        if (image != null) {
            SampleFields json = null;
            OptionalInt label = OptionalInt.empty();
            if (labels.chosen() || !descriptions.containsKey("cls")) {
                json = json();
                label = labels.label(json);
            }
            if (label.isEmpty()) {
                label = descriptions.containsKey("cls") ? cls(descriptions.get("cls")) : bareNumber();
            }
            if (brokenCause == null) {
                sink.found(new InTar(
                        new SampleEntry(
                                key.safe(), image.offset(), (int) image.size(), label.orElse(SampleEntry.NO_LABEL)),
                        json));
            }
        }
        if (brokenCause != null) {
            sink.broken(brokenCause, fault);
        } else if (key != null && image == null) {
            sink.leftOut(NO_IMAGE);
        }
        key = null;
        image = null;
        descriptions.clear();
        brokenCause = null;
        fault = null;
    }

    private void broken(String cause, TarReader.Entry file, String what, String advice) {
        if (brokenCause == null) {
            brokenCause = cause;
            fault = new ShardFormatException(
                    shard, file.offset(), SampleKey.printable(file.path()) + " " + what, advice);
        }
    }

    private OptionalInt cls(TarReader.Entry file) throws IOException {
        String text = new String(
                        tar.bytes(file.offset(), (int) Math.min(file.size(), MAX_LABEL_BYTES)), StandardCharsets.UTF_8)
                .strip();
        try {
            int value = Integer.parseInt(text);
            if (value >= SampleEntry.NO_LABEL) {
                return OptionalInt.of(value);
            }
        } catch (NumberFormatException e) {
            // Told below, together with negative numbers.
        }
        String shown = text.replaceAll("[^\\x20-\\x7e]", "?");
        broken(BAD_LABEL, file, "holds '" + shown + "', which is no class number", "pack the shard again");
        return OptionalInt.empty();
    }

    /** A caption that is nothing but a whole number is a label where nothing else tells one. */
    private OptionalInt bareNumber() throws IOException {
        TarReader.Entry file = descriptions.get("txt");
        if (file == null || file.size() > MAX_LABEL_BYTES || descriptions.containsKey("json")) {
            return OptionalInt.empty();
        }
        String text = text(file).strip();
        return text.matches("[0-9]{1,9}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
    }

    private SampleFields json() throws IOException {
        TarReader.Entry file = descriptions.get("json");
        return file == null || file.size() > MAX_TEXT_BYTES
                ? SampleFields.NONE
                : SampleFields.json(tar.bytes(file.offset(), (int) file.size()));
    }

    private String text(TarReader.Entry file) throws IOException {
        int length = (int) Math.min(file.size(), MAX_TEXT_BYTES);
        return new String(tar.bytes(file.offset(), length), StandardCharsets.UTF_8);
    }

    /** Reads what it is asked for. */
    private final class InTar implements FoundSample {
        private final SampleEntry entry;
        private SampleFields fields;
        private boolean captioned;

        private InTar(SampleEntry entry, SampleFields json) {
            this.entry = entry;
            this.fields = json;
        }

        @Override
        public SampleEntry entry() {
            return entry;
        }

        @Override
        public SampleFields fields() throws IOException {
            if (fields == null) {
                fields = json();
            }
            if (!captioned && descriptions.containsKey("txt")) {
                fields = fields.withCaption(text(descriptions.get("txt")).strip());
            }
            captioned = true;
            return fields;
        }

        @Override
        public byte[] image() throws IOException {
            return tar.bytes(entry.offset(), entry.length());
        }
    }
}
