package io.rasterflow.streams.format;

import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.Objects;
import java.util.RandomAccess;

/** Entries that are whole files, in columns: a few bytes more than their names. Grows until it is trimmed. */
final class PackedEntries extends AbstractList<SampleEntry> implements RandomAccess {

    private byte[] keys = new byte[4096];
    private int[] keyEnds = new int[64];
    private int[] lengths = new int[64];
    private int[] labels = new int[64];
    private int count;

    void add(String key, int length, int label) {
        byte[] utf8 = key.getBytes(StandardCharsets.UTF_8);
        int start = keyEnd(count - 1);
        if (start + utf8.length > keys.length) {
            keys = Arrays.copyOf(keys, Math.max(start + utf8.length, 2 * keys.length));
        }
        if (count == lengths.length) {
            keyEnds = Arrays.copyOf(keyEnds, 2 * count);
            lengths = Arrays.copyOf(lengths, 2 * count);
            labels = Arrays.copyOf(labels, 2 * count);
        }
        System.arraycopy(utf8, 0, keys, start, utf8.length);
        keyEnds[count] = start + utf8.length;
        lengths[count] = length;
        labels[count] = label;
        count++;
    }

    void trim() {
        keys = Arrays.copyOf(keys, keyEnd(count - 1));
        keyEnds = Arrays.copyOf(keyEnds, count);
        lengths = Arrays.copyOf(lengths, count);
        labels = Arrays.copyOf(labels, count);
    }

    private int keyEnd(int index) {
        return index < 0 ? 0 : keyEnds[index];
    }

    @Override
    public SampleEntry get(int index) {
        int start = keyEnd(Objects.checkIndex(index, count) - 1);
        String key = new String(keys, start, keyEnds[index] - start, StandardCharsets.UTF_8);
        return new SampleEntry(key, 0, lengths[index], labels[index]);
    }

    @Override
    public int size() {
        return count;
    }
}
