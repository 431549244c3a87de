package io.rasterflow.streams.format;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The rows of a parquet file as a tar: {@code ROW.EXTENSION} and {@code ROW.json}. */
final class ParquetTar {

    private static final ObjectMapper JSON = new ObjectMapper();

    private ParquetTar() {}

    static Optional<Damage> write(Path file, String shard, OutputStream out) throws IOException {
        try (ParquetImages rows = ParquetImages.openWithFields(file, shard)) {
            SampleTar tar = new SampleTar(out);
            Optional<ShardFormatException> fault = write(rows, tar);
            tar.finish();
            return fault.map(e -> new Damage(tar.size(), e.fault(), e.advice()));
        }
    }

    private static Optional<ShardFormatException> write(ParquetImages rows, SampleTar tar) throws IOException {
        for (long number = 0; ; number++) {
            Optional<ParquetImages.Row> next;
            try {
                next = rows.next();
            } catch (ShardFormatException e) {
                return Optional.of(e);
            }
            if (next.isEmpty()) {
                return Optional.empty();
            }
            ParquetImages.Row row = next.get();
            // Paths of rows need not be unique, nor fit for a key; the number of the row is both.
            String key = String.format(Locale.ROOT, "%08d", number);
            Map<String, Object> fields = row.fields();
            if (!fields.isEmpty()) {
                tar.put(key + ".json", JSON.writeValueAsBytes(fields));
            }
            tar.put(key + "." + extension(row.bytes()), row.bytes());
        }
    }

    /** What the bytes are; a row without an image or with something else is found out where it is decoded. */
    private static String extension(byte[] image) {
        int first = image.length < 4
                ? 0
                : (image[0] & 0xFF) << 24 | (image[1] & 0xFF) << 16 | (image[2] & 0xFF) << 8 | image[3] & 0xFF;
        return switch (first) {
            case 0x89504E47 -> "png";
            case 0x47494638 -> "gif";
            case 0x52494646 -> "webp";
            default -> "jpg";
        };
    }
}
