package io.rasterflow.tests;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import org.slf4j.LoggerFactory;

/** What is logged from WARN on, until it is closed. */
public final class LogLines implements AutoCloseable {

    private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private final Level before = root.getLevel();
    private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

    public LogLines() {
        root.setLevel(Level.WARN);
        appender.start();
        root.addAppender(appender);
    }

    /** Of loggers whose name begins like that; a stack trace makes a line long. */
    public List<String> of(String logger) {
        return List.copyOf(appender.list).stream()
                .filter(event -> event.getLoggerName().startsWith(logger))
                .map(event -> event.getFormattedMessage()
                        + (event.getThrowableProxy() == null ? "" : "\n" + event.getThrowableProxy()))
                .toList();
    }

    @Override
    public void close() {
        root.detachAppender(appender);
        root.setLevel(before);
    }
}
