package io.rasterflow.monitoring.action;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What can be asked. */
public enum ActionKind {
    /** All ranks stop after the step that is under way and stay. */
    PAUSE,
    /** They go on from there. */
    RESUME,
    /** The weights as they stand are written, besides the regular checkpoints. */
    CHECKPOINT,
    /** The same, and they are validated and probed. */
    PROBE,
    /** A node's trainers leave at a step boundary, then it ends. */
    DRAIN,
    /** What a node, or every node, logs of Rasterflow. */
    LOG_LEVEL;

    /**
     * Reads {@code pause}, {@code log-level} and so on.
     *
     * @throws IllegalArgumentException with one line
     */
    @JsonCreator
    public static ActionKind of(String id) {
        return Arrays.stream(values())
                .filter(kind -> kind.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown action '" + id + "': choose "
                        + Arrays.stream(values()).map(ActionKind::id).collect(Collectors.joining(", "))));
    }

    @JsonValue
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
