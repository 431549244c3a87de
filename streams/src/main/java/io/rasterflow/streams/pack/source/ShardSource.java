package io.rasterflow.streams.pack.source;

import io.rasterflow.streams.format.ShardFormatException;
import io.rasterflow.streams.storage.AtomicFile;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * The samples of WebDataset shards, with all of their files. Compressed shards are expanded into a folder for the time of
 * packing, so that samples can be read in any order.
 */
public final class ShardSource implements PackSource {

    private static final Set<String> IMAGES = Set.of("png", "jpg", "jpeg", "webp", "gif");
    private static final long MAX_SAMPLE_BYTES = 1L << 30;
    private static final int BLOCK = 512;
    private static final String CLASSES = "classes.txt";

    private final Path stage;
    private final List<Shard> shards;
    /** starts[s] is the number of the first sample of shard s; one more for the end. */
    private final long[] starts;

    private final List<String> classes;
    private final String identity;
    private FileChannel open;
    private int openShard = -1;

    /** An uncompressed tar; sample i lies between spans[i] and spans[i+1]. */
    private record Shard(Path name, Path tar, long[] spans) {}

    private ShardSource(Path stage, List<Shard> shards, List<String> classes, String identity) {
        this.stage = stage;
        this.shards = shards;
        this.classes = classes;
        this.identity = identity;
        this.starts = new long[shards.size() + 1];
        for (int s = 0; s < shards.size(); s++) {
            starts[s + 1] = starts[s] + Math.max(0, shards.get(s).spans().length - 1);
        }
    }

    /**
     * Expands and indexes shards.
     *
     * @param patterns see {@link LocalShards}
     * @param stage folder for expanded shards; {@link #close} removes it
     * @throws IOException one line that names shard and offset, if one is missing or damaged
     */
    public static ShardSource open(List<String> patterns, Path stage) throws IOException {
        List<Path> files = LocalShards.of(patterns, stage);
        List<Shard> shards = new ArrayList<>();
        MessageDigest digest = Digests.sha256();
        for (int s = 0; s < files.size(); s++) {
            Path file = files.get(s);
            Path tar = expanded(file, stage.resolve(s + ".tar"));
            long[] spans = spans(file, tar);
            shards.add(new Shard(file, tar, spans));
            Digests.add(digest, file.getFileName() + " " + Files.size(file) + " " + spans.length);
        }
        Path names = files.get(0).toAbsolutePath().resolveSibling(CLASSES);
        List<String> classes = Files.isRegularFile(names) ? Files.readAllLines(names) : List.of();
        return new ShardSource(stage, shards, classes, Digests.name(digest));
    }

    private static Path expanded(Path file, Path staged) throws IOException {
        try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
                InputStream in = Decompression.of(raw)) {
            if (in == raw) {
                return file;
            }
            AtomicFile.write(staged, out -> {
                try {
                    in.transferTo(out);
                } catch (EOFException | java.util.zip.ZipException e) {
                    throw damaged(file, 0, "its compressed stream is cut short or broken (" + e.getMessage() + ")");
                }
            });
            return staged;
        }
    }

    private static ShardFormatException damaged(Path shard, long offset, String fault) {
        return new ShardFormatException(
                shard.toString(), offset, fault, "the shard is incomplete or damaged, fetch it again or leave it out");
    }

    /** Where samples begin, and where the last one ends; empty without samples. */
    private static long[] spans(Path shard, Path tar) throws IOException {
        long size = Files.size(tar);
        long[] spans = new long[16];
        int count = 0;
        String key = null;
        long end = 0;
        try (InputStream file = new BufferedInputStream(Files.newInputStream(tar), 1 << 16);
                TarArchiveInputStream in = new TarArchiveInputStream(file, StandardCharsets.UTF_8.name())) {
            for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                String entryKey = entry.isFile() ? key(entry.getName()) : null;
                if (entryKey != null && !entryKey.equals(key)) {
                    spans = count + 2 > spans.length ? Arrays.copyOf(spans, 2 * spans.length) : spans;
                    spans[count++] = end;
                    key = entryKey;
                }
                end = in.getBytesRead() + (entry.getSize() + BLOCK - 1) / BLOCK * BLOCK;
                if (end > size) {
                    throw damaged(shard, size, "the tar ends inside " + entry.getName());
                }
            }
        } catch (ShardFormatException e) {
            throw e;
        } catch (IOException | IllegalArgumentException e) {
            throw damaged(shard, end, "not a readable tar (" + e.getMessage() + ")");
        }
        if (end + BLOCK > size) {
            throw damaged(shard, size, "the tar ends without its end-of-archive marker");
        }
        spans[count] = end;
        return count == 0 ? new long[0] : Arrays.copyOf(spans, count + 1);
    }

    /** Path up to the first dot of the file name; null if there is none. */
    private static String key(String path) {
        int dot = path.indexOf('.', path.lastIndexOf('/') + 1);
        return dot < 0 ? null : path.substring(0, dot);
    }

    @Override
    public long size() {
        return starts[shards.size()];
    }

    @Override
    public boolean randomAccess() {
        return true;
    }

    /** What {@code classes.txt} beside the first shard says. */
    @Override
    public List<String> classes() {
        return classes;
    }

    @Override
    public Map<String, String> identity() {
        return Map.of("--shards", "content " + identity);
    }

    @Override
    public PackItem item(long index) throws IOException {
        Objects.checkIndex(index, size());
        int found = Arrays.binarySearch(starts, index);
        int at = found >= 0 ? found : -found - 2;
        while (starts[at + 1] == index) { // an empty shard
            at++;
        }
        Shard shard = shards.get(at);
        long[] spans = shard.spans();
        int sample = (int) (index - starts[at]);
        String origin = shard.name().getFileName() + " at byte " + spans[sample];
        long length = spans[sample + 1] - spans[sample];
        if (length > MAX_SAMPLE_BYTES) {
            return new PackItem(PackItem.key(index), origin, () -> {
                throw new SampleFailure("the sample has " + length + " bytes");
            });
        }
        byte[] entries = read(at, spans[sample], (int) length);
        Map<String, byte[]> files = new LinkedHashMap<>();
        String key = PackItem.key(index);
        try (TarArchiveInputStream in =
                new TarArchiveInputStream(new ByteArrayInputStream(entries), StandardCharsets.UTF_8.name())) {
            for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                if (entry.isFile() && key(entry.getName()) != null) {
                    key = key(entry.getName());
                    files.putIfAbsent(
                            entry.getName().substring(key.length() + 1).toLowerCase(Locale.ROOT), in.readAllBytes());
                }
            }
        }
        String safe = isHarmless(key) ? key : PackItem.key(index, key);
        return new PackItem(safe, origin + " " + safe, () -> sample(files));
    }

    /** Whether who extracts it finds the file below the folder and its name readable. */
    private static boolean isHarmless(String key) {
        return !key.startsWith("/")
                && !Arrays.asList(key.split("/")).contains("..")
                && key.chars().noneMatch(c -> Character.isISOControl(c) || c == '\\');
    }

    private byte[] read(int shard, long from, int length) throws IOException {
        if (shard != openShard) {
            close(open);
            open = FileChannel.open(shards.get(shard).tar(), StandardOpenOption.READ);
            openShard = shard;
        }
        ByteBuffer target = ByteBuffer.allocate(length);
        while (target.hasRemaining()) {
            if (open.read(target, from + target.position()) < 0) {
                throw new EOFException(shards.get(shard).name() + " was cut short while it was packed; restore it");
            }
        }
        return target.array();
    }

    private static PackSample sample(Map<String, byte[]> files) throws SampleFailure {
        String image = files.keySet().stream()
                .filter(IMAGES::contains)
                .findFirst()
                .orElseThrow(() -> new SampleFailure("the sample has no image but " + files.keySet()));
        Map<String, byte[]> others = new LinkedHashMap<>(files);
        int label = PackSample.NO_LABEL;
        if (others.containsKey("cls")) {
            String text = new String(others.remove("cls"), StandardCharsets.UTF_8).strip();
            try {
                label = Integer.parseInt(text);
            } catch (NumberFormatException e) {
                throw new SampleFailure(
                        "its .cls holds '" + text.replaceAll("[^\\x20-\\x7e]", "?") + "', no class number");
            }
        }
        return new PackSample(others.remove(image), label, others);
    }

    private static void close(FileChannel channel) throws IOException {
        if (channel != null) {
            channel.close();
        }
    }

    /** Removes what was expanded. */
    @Override
    public void close() throws IOException {
        close(open);
        for (Shard shard : shards) {
            if (shard.tar() != shard.name()) {
                Files.deleteIfExists(shard.tar());
            }
        }
        Files.deleteIfExists(stage);
    }
}
