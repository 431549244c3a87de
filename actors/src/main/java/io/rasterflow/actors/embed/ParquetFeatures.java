package io.rasterflow.actors.embed;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;

/**
 * Features as a parquet table; the file's metadata give the shape of one image's features.
 *
 * <pre>
 * key: string    label: int64, null without one    features: list of float32, null where an image could not be decoded
 * </pre>
 */
final class ParquetFeatures implements FeatureFile {
    private static final MessageType SCHEMA = MessageTypeParser.parseMessageType(
            """
            message features {
              required binary key (STRING);
              optional int64 label;
              optional group features (LIST) {
                repeated group list {
                  required float element;
                }
              }
            }
            """);

    private final Path out;
    private final Path temporary;
    private final ParquetWriter<Row> writer;
    private boolean closed;

    /** One image; its features are {@code values[from, to)}, none if the range is empty. */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    private record Row(String key, int label, float[] values, int from, int to) {}

    ParquetFeatures(Path out, long[] shape) throws IOException {
        this.out = out.toAbsolutePath();
        Files.createDirectories(this.out.getParent());
        temporary = this.out.resolveSibling(
                "." + out.getFileName() + "-" + ProcessHandle.current().pid() + ".tmp");
        Files.deleteIfExists(temporary);
        String sizes = Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(","));
        writer = new Builder(new LocalOutputFile(temporary), Map.of("features.shape", sizes))
                .withConf(new PlainParquetConfiguration())
                .withCompressionCodec(CompressionCodecName.UNCOMPRESSED)
                .withDictionaryEncoding("features.list.element", false)
                .build();
    }

    @Override
    public void write(ImageBatch batch, float[] features) throws IOException {
        int each = features.length / batch.size();
        for (int i = 0; i < batch.size(); i++) {
            int to = batch.bad().containsKey(i) ? i * each : (i + 1) * each;
            writer.write(new Row(batch.keys().get(i), batch.labels()[i], features, i * each, to));
        }
    }

    @Override
    public void finish() throws IOException {
        closed = true;
        writer.close();
        Files.move(temporary, out, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public void close() throws IOException {
        if (!closed) {
            closed = true;
            writer.close();
        }
        Files.deleteIfExists(temporary);
    }

    private static final class Builder extends ParquetWriter.Builder<Row, Builder> {
        private final Map<String, String> metadata;

        private Builder(OutputFile file, Map<String, String> metadata) {
            super(file);
            this.metadata = metadata;
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        protected WriteSupport<Row> getWriteSupport(Configuration configuration) {
            return new Rows(metadata);
        }

        @Override
        protected WriteSupport<Row> getWriteSupport(ParquetConfiguration configuration) {
            return new Rows(metadata);
        }
    }

    private static final class Rows extends WriteSupport<Row> {
        private final Map<String, String> metadata;
        private RecordConsumer to;

        private Rows(Map<String, String> metadata) {
            this.metadata = metadata;
        }

        @Override
        public WriteContext init(Configuration configuration) {
            return new WriteContext(SCHEMA, metadata);
        }

        @Override
        public WriteContext init(ParquetConfiguration configuration) {
            return new WriteContext(SCHEMA, metadata);
        }

        @Override
        public void prepareForWrite(RecordConsumer consumer) {
            to = consumer;
        }

        @Override
        public void write(Row row) {
            to.startMessage();
            to.startField("key", 0);
            to.addBinary(Binary.fromString(row.key()));
            to.endField("key", 0);
            if (row.label() >= 0) {
                to.startField("label", 1);
                to.addLong(row.label());
                to.endField("label", 1);
            }
            if (row.from() < row.to()) {
                writeFeatures(row);
            }
            to.endMessage();
        }

        private void writeFeatures(Row row) {
            to.startField("features", 2);
            to.startGroup();
            to.startField("list", 0);
            for (int i = row.from(); i < row.to(); i++) {
                to.startGroup();
                to.startField("element", 0);
                to.addFloat(row.values()[i]);
                to.endField("element", 0);
                to.endGroup();
            }
            to.endField("list", 0);
            to.endGroup();
            to.endField("features", 2);
        }
    }
}
