package io.rasterflow.monitoring.action;

import java.util.List;

/**
 * One thing that somebody asks.
 *
 * @param node that it is about; empty for the whole run, or for every node
 * @param level to log at; empty where it is not about that
 * @param who address of whoever asks
 */
public record ActionRequest(ActionKind kind, String node, String level, String who) {

    /** From few to many lines. */
    public static final List<String> LEVELS = List.of("error", "warn", "info", "debug", "trace");

    private static final int LONGEST_NAME = 200;

    /** @throws IllegalArgumentException with one line, if something is missing or too much */
    public ActionRequest {
        node = node == null ? "" : node;
        level = level == null ? "" : level;
        if (kind == ActionKind.LOG_LEVEL ? !LEVELS.contains(level) : !level.isEmpty()) {
            throw new IllegalArgumentException(
                    kind == ActionKind.LOG_LEVEL
                            ? "unknown level '" + level + "': choose " + String.join(", ", LEVELS)
                            : kind.id() + " takes no level but was given '" + level + "'");
        }
        boolean aboutNode = kind == ActionKind.DRAIN || kind == ActionKind.LOG_LEVEL;
        if (node.length() > LONGEST_NAME || !node.isEmpty() && !aboutNode) {
            throw new IllegalArgumentException(kind.id() + " is about no node '" + node + "': leave it out");
        }
        if (kind == ActionKind.DRAIN && node.isEmpty()) {
            throw new IllegalArgumentException("drain needs a node: give {\"action\":\"drain\",\"node\":\"NAME\"}");
        }
    }

    /** What it is about, in words; empty for the whole run. */
    public String subject() {
        return kind == ActionKind.LOG_LEVEL ? level + (node.isEmpty() ? " on every node" : " on " + node) : node;
    }
}
