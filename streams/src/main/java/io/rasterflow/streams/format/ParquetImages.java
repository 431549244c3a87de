package io.rasterflow.streams.format;

import java.io.Closeable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.impl.ColumnReadStoreImpl;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;

/**
 * The encoded images of a parquet file as Hugging Face writes them, in the order of the rows; a row group is held at a time.
 *
 * <pre>
 * image { bytes: binary, path: string }      or image: binary; img, jpg, jpeg, png, webp, or the one struct of that form
 * label: int32 or int64                      or cls, class, class_id; may be missing
 * any other text, number or truth value      a field by its name; what lies in a struct by its path, such as json.caption
 * </pre>
 *
 * Compressed with snappy, zstd, gzip, lz4_raw or not at all.
 */
public final class ParquetImages implements Closeable {
    /**
     * One row.
     *
     * @param key the image's path, the column {@code __key__}, or the number of its row
     * @param bytes the encoded image; empty where the row has none
     * @param label if there is one
     * @param fields other columns by name, if asked for: String, Number or Boolean
     */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    public record Row(String key, byte[] bytes, OptionalInt label, Map<String, Object> fields) {}

    private static final List<String> IMAGES = List.of("image", "img", "jpg", "jpeg", "png", "webp");
    private static final List<String> LABELS = List.of("label", "cls", "class", "class_id");
    private static final String ADVICE = "download it again";

    private final String name;
    private final ParquetFileReader reader;
    private final boolean withFields;
    private final MessageType schema;
    private final ParquetColumn bytes;
    private final Optional<ParquetColumn> path;
    private final Optional<ParquetColumn> label;
    private final List<ParquetColumn> fields;
    private final List<ParquetColumn> columns = new ArrayList<>();
    private int group;
    private long left;
    private long row;

    private ParquetImages(String name, ParquetFileReader reader, boolean withFields) throws IOException {
        this.name = name;
        this.reader = reader;
        this.withFields = withFields;
        schema = reader.getFileMetaData().getSchema();
        ColumnDescriptor image = image().orElseThrow(() -> new ShardFormatException(
                name,
                0,
                "it has no column image {bytes, path} but "
                        + schema.getFields().stream()
                                .map(field -> field.getName())
                                .toList(),
                "rename the column of the encoded images"));
        bytes = ParquetColumn.bytes(image);
        path = binary(image.getPath()[0], "path").or(() -> binary("__key__")).map(ParquetColumn::bytes);
        List<ParquetColumn> others = schema.getColumns().stream()
                .map(ParquetColumn::field)
                .flatMap(Optional::stream)
                .filter(column -> !column.topLevel().equals(bytes.topLevel()))
                .toList();
        label = LABELS.stream()
                .flatMap(usual -> others.stream().filter(column -> column.name().equals(usual)))
                .filter(ParquetColumn::wholeNumbers)
                .findFirst();
        fields = withFields
                ? others.stream().filter(column -> column != label.orElse(null)).toList()
                : List.of();
        Stream.of(Stream.of(bytes), path.stream(), label.stream(), fields.stream())
                .flatMap(some -> some)
                .forEach(columns::add);
        reader.setRequestedSchema(projection());
    }

    /**
     * Opens a file for its images and labels.
     *
     * @throws ShardFormatException if it is no parquet file or has no images
     */
    public static ParquetImages open(Path file) throws IOException {
        return open(file, file.toString(), false);
    }

    /** As {@link #open(Path)}, with all columns that can be fields; {@code name} is that of the file in messages. */
    static ParquetImages openWithFields(Path file, String name) throws IOException {
        return open(file, name, true);
    }

    private static ParquetImages open(Path file, String name, boolean withFields) throws IOException {
        ParquetReadOptions options = ParquetReadOptions.builder(new PlainParquetConfiguration())
                .withCodecFactory(new ParquetCodecs())
                .usePageChecksumVerification(true)
                .build();
        ParquetFileReader reader;
        try {
            reader = ParquetFileReader.open(new LocalInputFile(file), options);
        } catch (FileNotFoundException e) {
            throw e;
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            throw new ShardFormatException(name, 0, "it is no parquet file: " + line(e), ADVICE);
        }
        try {
            return new ParquetImages(name, reader, withFields);
        } catch (IOException | RuntimeException e) {
            reader.close();
            throw e;
        }
    }

    /** By name, or the only struct of the right form. */
    private Optional<ColumnDescriptor> image() {
        Optional<ColumnDescriptor> named = IMAGES.stream()
                .flatMap(image -> Stream.of(binary(image, "bytes"), binary(image)))
                .flatMap(Optional::stream)
                .findFirst();
        List<ColumnDescriptor> structs = schema.getFields().stream()
                .filter(field -> binary(field.getName(), "path").isPresent())
                .map(field -> binary(field.getName(), "bytes"))
                .flatMap(Optional::stream)
                .toList();
        return named.or(() -> structs.size() == 1 ? Optional.of(structs.get(0)) : Optional.empty());
    }

    private Optional<ColumnDescriptor> binary(String... path) {
        return schema.getColumns().stream()
                .filter(column -> List.of(column.getPath()).equals(List.of(path)))
                .filter(column -> column.getMaxRepetitionLevel() == 0
                        && column.getPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.BINARY)
                .findFirst();
    }

    /** The fields that hold our columns. */
    private MessageType projection() {
        Set<String> wanted = columns.stream().map(ParquetColumn::topLevel).collect(Collectors.toSet());
        return new MessageType(
                schema.getName(),
                schema.getFields().stream()
                        .filter(field -> wanted.contains(field.getName()))
                        .toList());
    }

    /** Rows of the file. */
    public long size() {
        return reader.getRecordCount();
    }

    /**
     * The next row; empty at the end.
     *
     * @throws ShardFormatException naming the row that cannot be read; nothing can be read after it
     */
    public Optional<Row> next() throws IOException {
        try {
            if (left == 0 && !nextGroup()) {
                return Optional.empty();
            }
            byte[] image = (byte[]) bytes.next().orElse(new byte[0]);
            Optional<String> named =
                    path.flatMap(ParquetColumn::next).map(utf8 -> new String((byte[]) utf8, StandardCharsets.UTF_8));
            Optional<Object> number = label.flatMap(ParquetColumn::next);
            Map<String, Object> values = new LinkedHashMap<>();
            for (ParquetColumn field : fields) {
                field.next().ifPresent(value -> values.put(field.name(), value));
            }
            if (withFields) {
                number.ifPresent(value -> values.put(label.orElseThrow().name(), value));
                named.ifPresent(value -> values.putIfAbsent("path", value));
            }
            String key = named.orElse(Long.toString(row));
            left--;
            row++;
            return Optional.of(new Row(key, image, label(number), values));
        } catch (ShardFormatException e) {
            throw e;
        } catch (IOException | RuntimeException | OutOfMemoryError e) { // a wrong length may ask for a 2 GB array
            throw new ShardFormatException(name, 0, "row " + row + " cannot be read: " + line(e), ADVICE);
        }
    }

    private static OptionalInt label(Optional<Object> number) {
        long value = number.map(any -> ((Number) any).longValue()).orElse(-1L);
        return value < 0 || value > Integer.MAX_VALUE ? OptionalInt.empty() : OptionalInt.of((int) value);
    }

    /** The next row group that has rows. */
    private boolean nextGroup() throws IOException {
        requireThatNextFits();
        PageReadStore pages = reader.readNextRowGroup();
        while (pages != null && pages.getRowCount() == 0) {
            requireThatNextFits();
            pages = reader.readNextRowGroup();
        }
        if (pages == null) {
            return false;
        }
        ColumnReadStoreImpl store = new ColumnReadStoreImpl(
                pages,
                new ParquetColumn.Nowhere(),
                schema,
                reader.getFileMetaData().getCreatedBy());
        columns.forEach(column -> column.open(store));
        left = pages.getRowCount();
        return true;
    }

    /** A row group is read as a whole, compressed; what is more than half of the heap would end in a dead JVM. */
    private void requireThatNextFits() throws ShardFormatException {
        List<BlockMetaData> groups = reader.getRowGroups();
        if (group < groups.size()) {
            Set<String> wanted = columns.stream().map(ParquetColumn::topLevel).collect(Collectors.toSet());
            long size = groups.get(group).getColumns().stream()
                    .filter(chunk -> wanted.contains(chunk.getPath().toArray()[0]))
                    .mapToLong(ColumnChunkMetaData::getTotalSize)
                    .sum();
            long most = Runtime.getRuntime().maxMemory() / 2;
            if (size < 0 || size > most) {
                throw new ShardFormatException(
                        name,
                        0,
                        "row group " + group + " has " + size + " bytes, and at most " + most
                                + " (half of the heap) can be held",
                        "write the file with smaller row groups, or give the JVM a larger heap");
            }
        }
        group++;
    }

    private static String line(Throwable e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
