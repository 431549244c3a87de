package io.rasterflow.actors.node;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/** How much this JVM logs of Rasterflow; of the libraries it goes on as it began. */
final class LogLevel {

    private static final String OURS = "io.rasterflow";

    private LogLevel() {}

    /** @param level {@code error}, {@code warn}, {@code info}, {@code debug} or {@code trace} */
    static void set(String level) {
        if (LoggerFactory.getLogger(OURS) instanceof Logger logger) {
            logger.setLevel(Level.toLevel(level, logger.getEffectiveLevel()));
        }
    }
}
