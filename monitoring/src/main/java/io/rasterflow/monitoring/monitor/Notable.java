package io.rasterflow.monitoring.monitor;

/**
 * A line of the page's list of events.
 *
 * @param id grows with every line; a line that is counted up gets a new one
 * @param kind {@code run}, {@code validation}, {@code probe}, {@code checkpoint}, {@code membership}, {@code bad-sample},
 *     {@code slow-rank}, {@code alarm}, {@code alarm-over}
 * @param count how many like it were folded into this line
 */
public record Notable(long id, long timeMillis, long step, String kind, String node, String text, int count) {}
