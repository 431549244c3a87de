package io.rasterflow.monitoring.alarm;

import static io.rasterflow.monitoring.alarm.Board.format;

import io.rasterflow.monitoring.event.Event;

/** A node's run directory has hardly any room left. */
final class LowDisk implements Detector {

    /** Checkpoints that must still fit. */
    private static final int CHECKPOINTS = 3;
    /** Times the limit at which it is over. */
    private static final double ROOM = 1.2;

    private final AlarmConfig config;
    private long checkpointBytes;

    LowDisk(AlarmConfig config) {
        this.config = config;
    }

    @Override
    public void event(Event event, long nowMillis, Board board) {
        if (event instanceof Event.Checkpoint checkpoint) {
            checkpointBytes = checkpoint.bytes();
        } else if (event instanceof Event.Disk disk) {
            double free = disk.freeBytes();
            double limit = Math.max(config.diskFreeBytes(), CHECKPOINTS * (double) checkpointBytes);
            boolean over = free < limit;
            board.judge(
                    AlarmKind.DISK,
                    disk.node(),
                    over,
                    free > ROOM * limit,
                    free,
                    limit,
                    () -> over
                            ? format(
                                    "%s has %.1f GB of %.0f GB free in %s, less than the %.1f GB that checkpoints and"
                                            + " journals need",
                                    disk.node(), free / 1e9, disk.totalBytes() / 1e9, disk.directory(), limit / 1e9)
                            : format("%s has %.1f GB free", disk.node(), free / 1e9));
        }
    }
}
