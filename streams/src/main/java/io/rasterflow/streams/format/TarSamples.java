package io.rasterflow.streams.format;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * Finds the samples of an uncompressed WebDataset tar: consecutive files whose paths agree up to the first dot of the
 * file name are one sample; its image is the {@code .png}, {@code .jpg} or {@code .jpeg} file and its label the decimal
 * number in the {@code .cls} file. Samples without an image are left out. Long names (GNU and pax) are read.
 */
public final class TarSamples {

    private static final Set<String> IMAGES = Set.of("png", "jpg", "jpeg");
    private static final int MAX_LABEL_BYTES = 32;
    private static final int BLOCK = 512;
    private static final String ADVICE = "the shard is incomplete or damaged, fetch or pack it again";

    private final String shard;
    private final List<SampleEntry> samples = new ArrayList<>();
    private String key;
    private long imageOffset = -1;
    private int imageLength;
    private int label = SampleEntry.NO_LABEL;

    private TarSamples(String shard) {
        this.shard = shard;
    }

    /**
     * Reads the headers of a tar.
     *
     * @param tar uncompressed tar
     * @param shard its name in messages
     * @throws ShardFormatException naming shard and offset if the tar is cut short or damaged
     */
    public static List<SampleEntry> scan(Path tar, String shard) throws IOException {
        TarSamples scan = new TarSamples(shard);
        long size = Files.size(tar);
        long end = 0;
        try (InputStream file = new BufferedInputStream(Files.newInputStream(tar), 1 << 16);
                TarArchiveInputStream in = new TarArchiveInputStream(file, StandardCharsets.UTF_8.name())) {
            for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                long offset = in.getBytesRead();
                long length = entry.getSize();
                if (entry.isFile() && !entry.isSparse()) {
                    if (offset + length > size) {
                        throw new ShardFormatException(
                                shard,
                                size,
                                "the tar ends inside " + entry.getName() + " (" + length + " bytes from " + offset
                                        + ")",
                                ADVICE);
                    }
                    scan.file(entry.getName(), offset, length, in);
                }
                end = offset + (length + BLOCK - 1) / BLOCK * BLOCK;
            }
        } catch (ShardFormatException e) {
            throw e;
        } catch (IOException | IllegalArgumentException e) {
            throw new ShardFormatException(
                    shard, Math.min(end, size), "not a readable tar (" + e.getMessage() + ")", ADVICE);
        }
        scan.finishSample();
        requireEndMarker(tar, shard, end, size);
        return scan.samples;
    }

    private void file(String path, long offset, long length, InputStream content) throws IOException {
        int dot = path.indexOf('.', path.lastIndexOf('/') + 1);
        if (dot < 0) {
            return;
        }
        String newKey = path.substring(0, dot);
        String extension = path.substring(dot + 1).toLowerCase(Locale.ROOT);
        if (!newKey.equals(key)) {
            finishSample();
            key = newKey;
        }
        if (IMAGES.contains(extension) && imageOffset < 0) {
            if (length > Integer.MAX_VALUE - 8) {
                throw new ShardFormatException(shard, offset, path + " has " + length + " bytes", "leave it out");
            }
            imageOffset = offset;
            imageLength = (int) length;
        } else if (extension.equals("cls")) {
            label = label(path, offset, content.readNBytes(MAX_LABEL_BYTES));
        }
    }

    private int label(String path, long offset, byte[] content) throws ShardFormatException {
        String text = new String(content, StandardCharsets.UTF_8).strip();
        try {
            int value = Integer.parseInt(text);
            if (value >= SampleEntry.NO_LABEL) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Told below, together with negative numbers.
        }
        String shown = text.replaceAll("[^\\x20-\\x7e]", "?");
        throw new ShardFormatException(
                shard, offset, path + " holds '" + shown + "', which is no class number", "pack the shard again");
    }

    private void finishSample() {
        if (imageOffset >= 0) {
            samples.add(new SampleEntry(key, imageOffset, imageLength, label));
        }
        key = null;
        imageOffset = -1;
        label = SampleEntry.NO_LABEL;
    }

    /** A tar that was cut between two entries reads well to its end; only the missing marker shows the cut. */
    private static void requireEndMarker(Path tar, String shard, long end, long size) throws IOException {
        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        try (FileChannel channel = FileChannel.open(tar, StandardOpenOption.READ)) {
            while (block.hasRemaining() && channel.read(block, end + block.position()) >= 0) {
                // Read on: a channel may return fewer bytes than asked for.
            }
        }
        if (block.hasRemaining()) {
            throw new ShardFormatException(shard, size, "the tar ends without its end-of-archive marker", ADVICE);
        }
    }
}
