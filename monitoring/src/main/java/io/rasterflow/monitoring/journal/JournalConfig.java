package io.rasterflow.monitoring.journal;

/**
 * How a journal uses the disk.
 *
 * @param blockBytes how much of a (sparse) file is mapped at a time; an event may take a quarter of it
 * @param reserveBytes nothing is appended while the disk has less free space than this: a write to a mapped page that
 *     the disk cannot back would otherwise fault
 */
public record JournalConfig(long blockBytes, long reserveBytes) {

    /** Files of about 2 MB sparse size at first; 32 MB of the disk are left alone. */
    public static final JournalConfig DEFAULT = new JournalConfig(1L << 20, 32L << 20);

    public JournalConfig {
        if (blockBytes < 1 << 18 || Long.bitCount(blockBytes) != 1) {
            throw new IllegalArgumentException(
                    "journal blockBytes=" + blockBytes + ": must be a power of two of at least 262144");
        }
        if (reserveBytes < 0) {
            throw new IllegalArgumentException("journal reserveBytes=" + reserveBytes + ": must not be negative");
        }
    }
}
