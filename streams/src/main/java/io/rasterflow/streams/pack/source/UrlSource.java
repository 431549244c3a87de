package io.rasterflow.streams.pack.source;

import io.rasterflow.streams.format.ShardFormatException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The images that a list of URLs names: text with one {@code URL [LABEL]} per line, CSV or TSV whose first line names the
 * columns, or JSON lines; columns {@code url}, {@code label} and {@code caption}. Labels are numbers, or names of classes,
 * which are then numbered in their alphabetic order. Captions become {@code KEY.txt}; all columns {@code KEY.json}.
 *
 * <p>The list stays on disk; in memory is the place of every {@value #BLOCK}th record.
 */
public final class UrlSource implements PackSource {

    private static final int BLOCK = 64;
    private static final int MAX_CLASSES = 100_000;

    private final Path list;
    private final UrlRecord.Form form;
    private final RecordReader reader;
    private final HttpFetcher fetcher;
    private final int connections;

    // Known after the scan.
    private List<String> columns = List.of();
    private long[] blocks = new long[16];
    private long size;
    private List<String> classes = List.of();
    private boolean named;
    private String identity;
    private long nextRecord;

    private UrlSource(Path list, FetchConfig config, String version) throws IOException {
        this.list = list;
        this.form = UrlRecord.Form.of(list.getFileName().toString());
        this.reader = new RecordReader(list, form.hasHeader());
        this.fetcher = new HttpFetcher(config, version);
        this.connections = config.connections();
    }

    /**
     * Reads through a list once.
     *
     * @param version of this program, for the header User-Agent
     * @throws IOException one line, if there is no such file or nothing in it
     */
    public static UrlSource open(Path list, FetchConfig config, String version) throws IOException {
        if (!Files.isRegularFile(list)) {
            throw new FileNotFoundException("no list of URLs at " + list + "; check --urls");
        }
        UrlSource source = new UrlSource(list, config, version);
        try {
            source.scan();
            source.identity = Digests.name(list);
            return source;
        } catch (IOException | RuntimeException e) {
            source.close();
            throw e;
        }
    }

    private void scan() throws IOException {
        if (form.hasHeader()) {
            String header = reader.next().orElse("");
            String plain = header.startsWith("\uFEFF") ? header.substring(1) : header; // a byte-order mark
            columns = UrlRecord.split(plain, form == UrlRecord.Form.CSV ? ',' : '\t');
            if (columns.stream().noneMatch(UrlRecord::isUrlColumn)) {
                throw new ShardFormatException(
                        list.toString(), 0, "no column url but " + columns, "the first line must name the columns");
            }
        }
        TreeSet<String> names = new TreeSet<>();
        long start = reader.offset();
        for (Optional<String> record = reader.next(); record.isPresent(); record = reader.next()) {
            if (size % BLOCK == 0) {
                int block = (int) (size / BLOCK);
                blocks = block == blocks.length ? Arrays.copyOf(blocks, 2 * block) : blocks;
                blocks[block] = start;
            }
            size++;
            String label = label(record.get());
            named |= !label.isEmpty() && !label.matches("\\d{1,9}");
            if (!label.isEmpty() && names.size() <= MAX_CLASSES) {
                names.add(label);
            }
            start = reader.offset();
        }
        if (size == 0) {
            throw new ShardFormatException(list.toString(), 0, "no URL in the list", "write one per line");
        }
        if (named && names.size() > MAX_CLASSES) {
            throw new ShardFormatException(
                    list.toString(), 0, "more than " + MAX_CLASSES + " names of classes", "use numbers as labels");
        }
        classes = named ? List.copyOf(names) : List.of();
        nextRecord = size;
    }

    private String label(String record) {
        try {
            return UrlRecord.parse(form, columns, record).label();
        } catch (SampleFailure e) {
            return ""; // told when its turn comes
        }
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public boolean randomAccess() {
        return true;
    }

    @Override
    public int connections() {
        return connections;
    }

    @Override
    public List<String> classes() {
        return classes;
    }

    @Override
    public Map<String, String> identity() {
        return Map.of("--urls", "content " + identity);
    }

    @Override
    public PackItem item(long index) throws IOException {
        Objects.checkIndex(index, size);
        String key = PackItem.key(index);
        try {
            UrlRecord record = UrlRecord.parse(form, columns, record(index));
            return new PackItem(key, Urls.redact(record.url()), () -> load(record));
        } catch (SampleFailure e) {
            String origin = list.getFileName() + " record " + index;
            return new PackItem(key, origin, () -> {
                throw e;
            });
        }
    }

    private String record(long index) throws IOException {
        if (index != nextRecord) {
            reader.seek(blocks[(int) (index / BLOCK)]);
            nextRecord = index / BLOCK * BLOCK;
        }
        while (true) {
            String record = reader.next()
                    .orElseThrow(() -> new IOException(list + " was cut short while it was read; restore it"));
            if (nextRecord++ == index) {
                return record;
            }
        }
    }

    private PackSample load(UrlRecord record) throws SampleFailure, InterruptedException {
        Map<String, byte[]> others = new LinkedHashMap<>();
        if (!record.caption().isEmpty()) {
            others.put("txt", record.caption().getBytes(StandardCharsets.UTF_8));
        }
        others.put("json", record.fields().getBytes(StandardCharsets.UTF_8));
        return new PackSample(fetcher.fetch(record.url()), number(record.label()), others);
    }

    private int number(String label) {
        if (label.isEmpty()) {
            return PackSample.NO_LABEL;
        }
        return named ? Collections.binarySearch(classes, label) : Integer.parseInt(label);
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
