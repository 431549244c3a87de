package io.rasterflow.streams.storage;

import java.util.zip.Checksum;

/**
 * CRC-64/NVME, which S3 makes of objects that were uploaded without another checksum: reflected polynomial
 * {@code 9a6c9329ac4bc9b5}, all ones at the start and inverted at the end; {@code ae8b14860a799888} for "123456789".
 */
final class Crc64Nvme implements Checksum {

    private static final long[] TABLE = table();

    private long crc = -1;

    private static long[] table() {
        long[] table = new long[256];
        for (int i = 0; i < 256; i++) {
            long value = i;
            for (int bit = 0; bit < 8; bit++) {
                value = (value & 1) != 0 ? value >>> 1 ^ 0x9a6c9329ac4bc9b5L : value >>> 1;
            }
            table[i] = value;
        }
        return table;
    }

    @Override
    public void update(int b) {
        crc = TABLE[(int) (crc ^ b) & 0xFF] ^ crc >>> 8;
    }

    @Override
    public void update(byte[] bytes, int from, int length) {
        long value = crc;
        for (int i = from; i < from + length; i++) {
            value = TABLE[(int) (value ^ bytes[i]) & 0xFF] ^ value >>> 8;
        }
        crc = value;
    }

    @Override
    public long getValue() {
        return ~crc;
    }

    @Override
    public void reset() {
        crc = -1;
    }
}
