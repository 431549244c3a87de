package io.rasterflow.monitoring.journal;

/**
 * How a journal uses the disk.
 *
 * @param blockBytes how much of a (sparse) file is mapped at a time; an event may take a quarter of it
 * @param reserveBytes nothing is appended while the disk has less free space than this: a write to a mapped page that
 *     the disk cannot back would otherwise fault
 * @param retention what is deleted
 */
public record JournalConfig(long blockBytes, long reserveBytes, Retention retention) {

    /** Files of about 2 MB sparse size at first; 32 MB of the disk are left alone, and everything is kept. */
    public static final JournalConfig DEFAULT = new JournalConfig(1L << 20, 32L << 20, Retention.ALL);

    /** The default, but for what is deleted. */
    public static JournalConfig keeping(Retention retention) {
        return new JournalConfig(DEFAULT.blockBytes, DEFAULT.reserveBytes, retention);
    }

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
