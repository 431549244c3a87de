package io.rasterflow.streams.format;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.column.impl.ColumnReadStoreImpl;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;

/**
 * The encoded images of a parquet file as Hugging Face writes them, in the order of the rows; a row group is held at a time.
 *
 * <pre>
 * image { bytes: binary, path: string }      or image: binary
 * label: int32 or int64                      may be missing
 * </pre>
 */
public final class ParquetImages implements Closeable {
    /**
     * One row.
     *
     * @param key the image's path, or the number of its row
     * @param bytes the encoded image; empty where the row has none
     * @param label if there is one
     */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    public record Row(String key, byte[] bytes, OptionalInt label) {}

    private final Path file;
    private final ParquetFileReader reader;
    private final MessageType schema;
    private final ColumnDescriptor bytes;
    private final Optional<ColumnDescriptor> path;
    private final Optional<ColumnDescriptor> label;

    // The row group at hand
    private ColumnReader bytesReader;
    private Optional<ColumnReader> pathReader = Optional.empty();
    private Optional<ColumnReader> labelReader = Optional.empty();
    private long left;
    private long row;

    private ParquetImages(Path file, ParquetFileReader reader) throws IOException {
        this.file = file;
        this.reader = reader;
        MessageType whole = reader.getFileMetaData().getSchema();
        bytes = column(whole, PrimitiveTypeName.BINARY, "image", "bytes")
                .or(() -> column(whole, PrimitiveTypeName.BINARY, "image"))
                .orElseThrow(() -> new ShardFormatException(
                        file.toString(),
                        0,
                        "it has no column image {bytes, path} but "
                                + whole.getFields().stream()
                                        .map(field -> field.getName())
                                        .toList(),
                        "rename the column of the encoded images"));
        path = column(whole, PrimitiveTypeName.BINARY, "image", "path");
        label = column(whole, PrimitiveTypeName.INT64, "label")
                .or(() -> column(whole, PrimitiveTypeName.INT32, "label"));
        schema = whole;
        reader.setRequestedSchema(projection(whole));
    }

    /**
     * Opens a file.
     *
     * @throws ShardFormatException if it is no parquet file or has no images
     */
    public static ParquetImages open(Path file) throws IOException {
        ParquetReadOptions options =
                ParquetReadOptions.builder(new PlainParquetConfiguration()).build();
        ParquetFileReader reader;
        try {
            reader = ParquetFileReader.open(new LocalInputFile(file), options);
        } catch (RuntimeException e) {
            throw new ShardFormatException(
                    file.toString(), 0, "it is no parquet file: " + line(e), "download it again");
        }
        try {
            return new ParquetImages(file, reader);
        } catch (IOException | RuntimeException e) {
            reader.close();
            throw e;
        }
    }

    private static Optional<ColumnDescriptor> column(MessageType schema, PrimitiveTypeName type, String... path) {
        return schema.getColumns().stream()
                .filter(column -> List.of(column.getPath()).equals(List.of(path)))
                .filter(column -> column.getMaxRepetitionLevel() == 0
                        && column.getPrimitiveType().getPrimitiveTypeName() == type)
                .findFirst();
    }

    /** The fields that hold our columns. */
    private MessageType projection(MessageType whole) {
        return new MessageType(
                whole.getName(),
                whole.getFields().stream()
                        .filter(field -> field.getName().equals(bytes.getPath()[0])
                                || (label.isPresent() && field.getName().equals("label")))
                        .toList());
    }

    /** Rows of the file. */
    public long size() {
        return reader.getRecordCount();
    }

    /** The next row; empty at the end. */
    public Optional<Row> next() throws IOException {
        try {
            if (left == 0 && !nextGroup()) {
                return Optional.empty();
            }
            Optional<byte[]> image = value(bytesReader, bytes);
            Optional<byte[]> name = pathReader.flatMap(column -> value(column, path.orElseThrow()));
            OptionalInt number = labelReader.map(this::number).orElse(OptionalInt.empty());
            String key =
                    name.map(utf8 -> new String(utf8, StandardCharsets.UTF_8)).orElse(Long.toString(row));
            left--;
            row++;
            return Optional.of(new Row(key, image.orElse(new byte[0]), number));
        } catch (RuntimeException e) {
            throw new ShardFormatException(
                    file.toString(), 0, "row " + row + " cannot be read: " + line(e), "download it again");
        }
    }

    /** The next row group that has rows. */
    private boolean nextGroup() throws IOException {
        PageReadStore pages = reader.readNextRowGroup();
        while (pages != null && pages.getRowCount() == 0) {
            pages = reader.readNextRowGroup();
        }
        if (pages == null) {
            return false;
        }
        ColumnReadStoreImpl columns = new ColumnReadStoreImpl(
                pages, new Nowhere(), schema, reader.getFileMetaData().getCreatedBy());
        bytesReader = columns.getColumnReader(bytes);
        pathReader = path.map(columns::getColumnReader);
        labelReader = label.map(columns::getColumnReader);
        left = pages.getRowCount();
        return true;
    }

    private static Optional<byte[]> value(ColumnReader column, ColumnDescriptor descriptor) {
        boolean present = column.getCurrentDefinitionLevel() == descriptor.getMaxDefinitionLevel();
        Optional<byte[]> value = present ? Optional.of(column.getBinary().getBytes()) : Optional.empty();
        column.consume();
        return value;
    }

    private OptionalInt number(ColumnReader column) {
        ColumnDescriptor descriptor = label.orElseThrow();
        OptionalInt value = OptionalInt.empty();
        if (column.getCurrentDefinitionLevel() == descriptor.getMaxDefinitionLevel()) {
            boolean wide = descriptor.getPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.INT64;
            value = OptionalInt.of(wide ? Math.toIntExact(column.getLong()) : column.getInteger());
        }
        column.consume();
        return value;
    }

    private static String line(RuntimeException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }

    /** Parquet's column reader wants to know where records are put together: nowhere here. */
    private static final class Nowhere extends GroupConverter {
        @Override
        public Converter getConverter(int field) {
            return this;
        }

        @Override
        public PrimitiveConverter asPrimitiveConverter() {
            return new PrimitiveConverter() {};
        }

        @Override
        public void start() {}

        @Override
        public void end() {}
    }
}
