package io.rasterflow.tests.streams;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32;

/**
 * Damages files: the n-th damaged file is a pure function of the seed, n and the files to start from. Every second one is mended
 * afterwards as far as checksums, lengths and end markers go, so that the damage gets past these.
 */
final class Mutator {

    private static final int HEADER = 80;
    private static final int[] ABSURD = {0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, -1
    };

    private final long seed;
    private final List<byte[]> files;

    Mutator(long seed, List<byte[]> files) {
        this.seed = seed;
        this.files = List.copyOf(files);
    }

    /** Damaged file {@code n}; in turn, it comes from each of the files. */
    byte[] damaged(int n) {
        SplittableRandom random = new SplittableRandom(seed * 1_000_003 + n);
        byte[] original = files.get(n % files.size());
        byte[] bytes = original;
        int rounds = 1 + random.nextInt(3);
        for (int i = 0; i < rounds || Arrays.equals(bytes, original); i++) {
            bytes = damage(bytes, random);
        }
        byte[] mended = random.nextBoolean() ? mended(bytes) : bytes;
        return Arrays.equals(mended, original) ? bytes : mended;
    }

    private byte[] damage(byte[] bytes, SplittableRandom random) {
        if (bytes.length < 4) {
            return new byte[] {(byte) random.nextInt()};
        }
        return switch (random.nextInt(9)) {
            case 0 -> flippedBits(bytes, random, bytes.length);
            case 1 -> flippedBits(bytes, random, Math.min(HEADER, bytes.length));
            case 2 -> overwritten(bytes, random);
            case 3 -> absurd(bytes, random);
            case 4 -> Arrays.copyOf(bytes, random.nextInt(bytes.length));
            case 5 -> withoutRange(bytes, random);
            case 6 -> withRange(bytes, random);
            case 7 -> swapped(bytes, random);
            default -> spliced(bytes, files.get(random.nextInt(files.size())), random);
        };
    }

    private static byte[] flippedBits(byte[] bytes, SplittableRandom random, int within) {
        byte[] out = bytes.clone();
        for (int i = random.nextInt(8); i >= 0; i--) {
            out[random.nextInt(within)] ^= (byte) (1 << random.nextInt(8));
        }
        return out;
    }

    private static byte[] overwritten(byte[] bytes, SplittableRandom random) {
        byte[] out = bytes.clone();
        int at = random.nextInt(bytes.length);
        byte[] noise = new byte[Math.min(1 + random.nextInt(16), bytes.length - at)];
        if (random.nextBoolean()) {
            random.nextBytes(noise);
        } else {
            Arrays.fill(noise, (byte) (random.nextBoolean() ? 0xFF : 0));
        }
        System.arraycopy(noise, 0, out, at, noise.length);
        return out;
    }

    /** A number of 1 to 4 bytes, in either byte order, mostly in the header. */
    private static byte[] absurd(byte[] bytes, SplittableRandom random) {
        byte[] out = bytes.clone();
        int width = 1 << random.nextInt(3);
        int within = random.nextInt(4) == 0 ? bytes.length : Math.min(HEADER, bytes.length);
        int at = random.nextInt(within - width + 1);
        int value = ABSURD[random.nextInt(ABSURD.length)];
        boolean little = random.nextBoolean();
        for (int i = 0; i < width; i++) {
            out[at + (little ? i : width - 1 - i)] = (byte) (value >> 8 * i);
        }
        return out;
    }

    private static byte[] withoutRange(byte[] bytes, SplittableRandom random) {
        int from = random.nextInt(bytes.length);
        int to = from + 1 + random.nextInt(Math.min(64, bytes.length - from));
        return joined(Arrays.copyOf(bytes, from), Arrays.copyOfRange(bytes, to, bytes.length));
    }

    /** Noise, or some of the file once more. */
    private static byte[] withRange(byte[] bytes, SplittableRandom random) {
        int at = random.nextInt(bytes.length);
        byte[] more = new byte[1 + random.nextInt(64)];
        if (random.nextBoolean()) {
            random.nextBytes(more);
        } else {
            int from = random.nextInt(bytes.length);
            more = Arrays.copyOfRange(bytes, from, Math.min(from + more.length, bytes.length));
        }
        return joined(Arrays.copyOf(bytes, at), more, Arrays.copyOfRange(bytes, at, bytes.length));
    }

    /** Two parts change places: chunks where the format is known, ranges elsewhere. */
    private static byte[] swapped(byte[] bytes, SplittableRandom random) {
        List<Integer> bounds = chunks(bytes);
        if (bounds.size() < 3) {
            bounds = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                bounds.add(random.nextInt(bytes.length));
            }
            bounds.sort(null);
        }
        int first = random.nextInt(bounds.size() - 2);
        int second = first + 1 + random.nextInt(bounds.size() - first - 2);
        int a = bounds.get(first);
        int b = bounds.get(first + 1);
        int c = bounds.get(second);
        int d = bounds.get(second + 1);
        return joined(
                Arrays.copyOf(bytes, a),
                Arrays.copyOfRange(bytes, c, d),
                Arrays.copyOfRange(bytes, b, c),
                Arrays.copyOfRange(bytes, a, b),
                Arrays.copyOfRange(bytes, d, bytes.length));
    }

    private static byte[] spliced(byte[] bytes, byte[] other, SplittableRandom random) {
        int from = random.nextInt(other.length);
        return joined(
                Arrays.copyOf(bytes, random.nextInt(bytes.length)), Arrays.copyOfRange(other, from, other.length));
    }

    /** Where the chunks begin, and where the last one ends. */
    private static List<Integer> chunks(byte[] bytes) {
        List<Integer> bounds = new ArrayList<>();
        boolean png = isPng(bytes);
        boolean webp = isWebp(bytes);
        boolean jpeg = isJpeg(bytes);
        int at = png ? 8 : webp ? 12 : jpeg ? 2 : bytes.length;
        while (at + 12 <= bytes.length) {
            bounds.add(at);
            long length;
            if (png) {
                length = 12 + (number(bytes, at, 4) & 0xFFFFFFFFL);
            } else if (webp) {
                length = 8 + (Integer.reverseBytes(number(bytes, at + 4, 4)) & 0xFFFFFFFFL);
                length += length & 1;
            } else {
                length = 2 + number(bytes, at + 2, 2);
            }
            if (at + length > bytes.length || (jpeg && bytes[at] != (byte) 0xFF)) {
                break;
            }
            at += (int) length;
        }
        bounds.add(Math.min(at, bytes.length));
        return bounds;
    }

    /** The file with checksums, length or end marker as they ought to be. */
    private static byte[] mended(byte[] bytes) {
        byte[] out = bytes.clone();
        if (isPng(bytes)) {
            List<Integer> bounds = chunks(bytes);
            for (int i = 0; i + 1 < bounds.size(); i++) {
                int end = bounds.get(i + 1) - 4;
                if (end - bounds.get(i) < 8) {
                    break;
                }
                CRC32 crc = new CRC32();
                crc.update(bytes, bounds.get(i) + 4, end - bounds.get(i) - 4);
                write(out, end, (int) crc.getValue());
            }
        } else if (isWebp(bytes)) {
            write(out, 4, Integer.reverseBytes(bytes.length - 8));
        } else if (isJpeg(bytes)) {
            return joined(bytes, new byte[] {(byte) 0xFF, (byte) 0xD9});
        } else if (bytes.length > 6 && bytes[0] == 'G') {
            return joined(bytes, new byte[] {0, ';'});
        }
        return out;
    }

    private static boolean isPng(byte[] bytes) {
        return bytes.length > 33 && bytes[0] == (byte) 0x89 && bytes[1] == 'P';
    }

    private static boolean isWebp(byte[] bytes) {
        return bytes.length > 30 && new String(bytes, 8, 4, StandardCharsets.ISO_8859_1).equals("WEBP");
    }

    private static boolean isJpeg(byte[] bytes) {
        return bytes.length > 12 && bytes[0] == (byte) 0xFF && bytes[1] == (byte) 0xD8;
    }

    /** Big-endian. */
    private static int number(byte[] bytes, int at, int width) {
        int value = 0;
        for (int i = 0; i < width; i++) {
            value = value << 8 | bytes[at + i] & 0xFF;
        }
        return value;
    }

    private static void write(byte[] bytes, int at, int value) {
        for (int i = 0; i < 4; i++) {
            bytes[at + i] = (byte) (value >> 24 - 8 * i);
        }
    }

    private static byte[] joined(byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        byte[] out = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, out, at, part.length);
            at += part.length;
        }
        return out;
    }
}
