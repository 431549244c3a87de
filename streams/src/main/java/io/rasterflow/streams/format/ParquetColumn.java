package io.rasterflow.streams.format;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.column.impl.ColumnReadStoreImpl;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.schema.LogicalTypeAnnotation.EnumLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.StringLogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;

/** One column of a parquet file with at most one value per row, read row by row. */
final class ParquetColumn {

    private static final int MAX_TEXT_BYTES = 1 << 16;

    private final ColumnDescriptor descriptor;
    private final Kind kind;
    private ColumnReader reader;

    private enum Kind {
        BYTES,
        TEXT,
        INT,
        LONG,
        FLOAT,
        DOUBLE,
        BOOLEAN
    }

    private ParquetColumn(ColumnDescriptor descriptor, Kind kind) {
        this.descriptor = descriptor;
        this.kind = kind;
    }

    /** A column of texts, numbers or truth values; empty for any other. */
    static Optional<ParquetColumn> field(ColumnDescriptor descriptor) {
        PrimitiveType type = descriptor.getPrimitiveType();
        var meaning = type.getLogicalTypeAnnotation();
        boolean text = meaning instanceof StringLogicalTypeAnnotation || meaning instanceof EnumLogicalTypeAnnotation;
        boolean number = meaning == null || meaning instanceof IntLogicalTypeAnnotation;
        Kind kind =
                switch (type.getPrimitiveTypeName()) {
                    case BINARY -> text ? Kind.TEXT : null;
                    case INT32 -> number ? Kind.INT : null;
                    case INT64 -> number ? Kind.LONG : null;
                    case FLOAT -> Kind.FLOAT;
                    case DOUBLE -> Kind.DOUBLE;
                    case BOOLEAN -> Kind.BOOLEAN;
                    default -> null;
                };
        return kind == null || descriptor.getMaxRepetitionLevel() > 0
                ? Optional.empty()
                : Optional.of(new ParquetColumn(descriptor, kind));
    }

    /** A column of bytes, whatever they are said to mean. */
    static ParquetColumn bytes(ColumnDescriptor descriptor) {
        return new ParquetColumn(descriptor, Kind.BYTES);
    }

    /** Its path, joined by dots. */
    String name() {
        return String.join(".", descriptor.getPath());
    }

    /** The field of the schema that it is in. */
    String topLevel() {
        return descriptor.getPath()[0];
    }

    boolean wholeNumbers() {
        return kind == Kind.INT || kind == Kind.LONG;
    }

    /** Goes to a row group. */
    void open(ColumnReadStoreImpl group) {
        reader = group.getColumnReader(descriptor);
    }

    /** The value in the next row: {@code byte[]}, String, Number or Boolean. Texts without end count as missing. */
    Optional<Object> next() {
        boolean present = reader.getCurrentDefinitionLevel() == descriptor.getMaxDefinitionLevel();
        Object value = present ? value() : null;
        reader.consume();
        return Optional.ofNullable(value);
    }

    private Object value() {
        return switch (kind) {
            case BYTES -> reader.getBinary().getBytes();
            case TEXT -> text(reader.getBinary());
            case INT -> reader.getInteger();
            case LONG -> reader.getLong();
            case FLOAT -> reader.getFloat();
            case DOUBLE -> reader.getDouble();
            case BOOLEAN -> reader.getBoolean();
        };
    }

    private static String text(Binary utf8) {
        return utf8.length() > MAX_TEXT_BYTES ? null : new String(utf8.getBytes(), StandardCharsets.UTF_8);
    }

    /** Parquet's column reader wants to know where records are put together: nowhere here. */
    static final class Nowhere extends GroupConverter {
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
