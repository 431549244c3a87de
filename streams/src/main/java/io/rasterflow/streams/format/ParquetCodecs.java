package io.rasterflow.streams.format;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.CodecFactory;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/** Parquet's codecs without Hadoop, which brings gzip: the JDK reads that. */
final class ParquetCodecs implements CompressionCodecFactory {

    private final CodecFactory others = new CodecFactory(new PlainParquetConfiguration(), 0);

    @Override
    public BytesInputDecompressor getDecompressor(CompressionCodecName codec) {
        return switch (codec) {
            case GZIP -> new Gunzipper();
            case UNCOMPRESSED, SNAPPY, ZSTD, LZ4_RAW -> others.getDecompressor(codec);
            default ->
                throw new IllegalArgumentException(
                        "it is compressed with " + codec + "; write it with zstd, snappy, gzip or lz4_raw");
        };
    }

    @Override
    public BytesInputCompressor getCompressor(CompressionCodecName codec) {
        throw new UnsupportedOperationException("only for reading");
    }

    @Override
    public void release() {
        others.release();
    }

    private static final class Gunzipper implements BytesInputDecompressor {
        @Override
        public BytesInput decompress(BytesInput bytes, int uncompressedSize) throws IOException {
            try (InputStream in = new GZIPInputStream(bytes.toInputStream())) {
                byte[] page = in.readNBytes(uncompressedSize);
                if (page.length < uncompressedSize) {
                    throw new IOException("a page has " + page.length + " bytes instead of " + uncompressedSize);
                }
                return BytesInput.from(page);
            }
        }

        @Override
        public void decompress(ByteBuffer input, int compressedSize, ByteBuffer output, int uncompressedSize)
                throws IOException {
            ByteBuffer part = input.slice(input.position(), compressedSize);
            output.put(decompress(BytesInput.from(part), uncompressedSize).toByteBuffer());
            input.position(input.position() + compressedSize);
        }

        @Override
        public void release() {}
    }
}
