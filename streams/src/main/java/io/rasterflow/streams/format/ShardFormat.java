package io.rasterflow.streams.format;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * What a shard file is. Whatever it is, it is read at random as an uncompressed tar: either it is one, or {@link #expand}
 * makes one.
 *
 * <pre>
 *  TAR       a header block with a right checksum, or a zero block
 *  TAR_GZ    1f 8b             any number of members
 *  TAR_ZST   28 b5 2f fd       any number of frames; 5x 2a 4d 18 a frame to be skipped
 *  PARQUET   "PAR1"            see {@link ParquetImages}
 *  IDX       00 00 08 03       plain or gzip; labels found by name, see {@link IdxTar#labelNames}
 * </pre>
 */
public enum ShardFormat {
    TAR,
    TAR_GZ,
    TAR_ZST,
    PARQUET,
    IDX;

    /**
     * Tells the format from the first bytes, because names lie.
     *
     * @param shard its name in messages
     * @throws ShardFormatException if it is none of them
     */
    public static ShardFormat detect(Path file, String shard) throws IOException {
        byte[] head;
        try (InputStream in = Files.newInputStream(file)) {
            head = in.readNBytes(TarHeader.BLOCK);
        }
        if (head.length == 0) {
            throw new ShardFormatException(shard, 0, "the file is empty", Damage.FETCH_AGAIN);
        }
        int magic = head.length < 4 ? 0 : ByteBuffer.wrap(head).getInt();
        if (magic >>> 16 == 0x1f8b) {
            int inside = magicInGzip(file);
            requireNoLabels(inside, shard);
            return inside == IdxReader.IMAGES_MAGIC ? IDX : TAR_GZ;
        }
        requireNoLabels(magic, shard);
        if (magic == 0x28B52FFD || (magic & 0xF0FFFFFF) == 0x502A4D18) {
            return TAR_ZST;
        } else if (magic == 0x50415231) {
            return PARQUET;
        } else if (magic == IdxReader.IMAGES_MAGIC) {
            return IDX;
        } else if (head.length == TarHeader.BLOCK && (TarHeader.isHeader(head, 0) || TarHeader.isZero(head, 0))) {
            return TAR;
        }
        throw unknown(head, shard);
    }

    /** Whether the file is read as it lies. */
    public boolean plain() {
        return this == TAR;
    }

    /**
     * Writes the uncompressed tar: the content of a compressed one; the samples of a parquet file as {@code ROW.jpg} (or what
     * the bytes are) and {@code ROW.json} with the other columns; those of an IDX file as {@code NUMBER.png} and, if there
     * are labels, {@code NUMBER.cls}.
     *
     * @param shard its name in messages
     * @throws ShardFormatException if the shard is cut or damaged
     * @throws IOException what reading the file or writing {@code tar} fails with
     */
    public void expand(Path file, String shard, OutputStream tar) throws IOException {
        Optional<Damage> damage = salvage(file, shard, tar);
        if (damage.isPresent()) {
            throw damage.get().exception(shard);
        }
    }

    /**
     * As {@link #expand}, but writes what can be had of a shard that is cut or damaged.
     *
     * @return where the tar is damaged, to be handed on to whoever looks for the samples in it: bytes from
     *     {@link Damage#offset} may have been written but cannot be trusted
     * @throws ShardFormatException if nothing can be had
     */
    public Optional<Damage> salvage(Path file, String shard, OutputStream tar) throws IOException {
        return switch (this) {
            case TAR -> {
                Files.copy(file, tar);
                yield Optional.empty();
            }
            case TAR_GZ -> {
                try (InputStream in = Files.newInputStream(file)) {
                    yield Gunzip.expand(in, tar);
                }
            }
            case TAR_ZST -> {
                try (InputStream in = Files.newInputStream(file)) {
                    yield Unzstd.expand(in, tar);
                }
            }
            case PARQUET -> ParquetTar.write(file, shard, tar);
            case IDX -> IdxTar.write(file, shard, tar);
        };
    }

    private static int magicInGzip(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file);
                InputStream gzip = new GZIPInputStream(in)) {
            byte[] magic = gzip.readNBytes(4);
            return magic.length < 4 ? 0 : ByteBuffer.wrap(magic).getInt();
        } catch (EOFException | ZipException e) {
            return 0; // Named with its offset when it is expanded.
        }
    }

    private static void requireNoLabels(int magic, String shard) throws ShardFormatException {
        if (magic == IdxReader.LABELS_MAGIC) {
            throw new ShardFormatException(
                    shard, 0, "these are IDX labels", "name the file of the images; its labels are found beside it");
        }
    }

    private static ShardFormatException unknown(byte[] head, String shard) {
        StringBuilder shown = new StringBuilder();
        boolean text = true;
        for (int i = 0; i < Math.min(16, head.length); i++) {
            shown.append(head[i] >= ' ' && head[i] < 127 ? (char) head[i] : '?');
            text &= head[i] >= '\t' && head[i] < 127;
        }
        boolean page = text && (shown.charAt(0) == '<' || shown.charAt(0) == '{');
        return new ShardFormatException(
                shard,
                0,
                "it is no tar, gzip, zstd, parquet or IDX file but begins with '" + shown + "'",
                page ? "this looks like a page or an error message, check the address" : Damage.FETCH_AGAIN);
    }
}
