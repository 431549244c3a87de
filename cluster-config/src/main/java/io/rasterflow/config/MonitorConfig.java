package io.rasterflow.config;

import io.rasterflow.monitoring.alarm.AlarmConfig;
import io.rasterflow.monitoring.export.ExportKind;
import io.rasterflow.monitoring.journal.Retention;
import java.util.Arrays;
import java.util.List;

/**
 * The live page, and the alarms of the run.
 *
 * @param page whether it is served
 * @param host address it is served on; anything but a loopback address shows the run to the network
 * @param port 0 takes a free one
 * @param images validation images of which predictions are drawn at every evaluation, also without the page; 0 for none
 * @param compare directories of other runs that the page draws beside this one
 * @param exports in what the run is written for other tools while it goes on, see {@link ExportKind}
 * @param price of a trainer node for an hour, in any currency, by which the run tells its cost; 0 to leave that out
 * @param journal how much of it is kept
 * @param alarms also without the page
 */
public record MonitorConfig(
        boolean page,
        String host,
        int port,
        int images,
        List<String> compare,
        List<String> exports,
        double price,
        Retention journal,
        AlarmConfig alarms) {

    private static final int MAX_IMAGES = 64;

    public MonitorConfig {
        compare = List.copyOf(compare);
        exports = List.copyOf(exports);
        List<String> kinds =
                Arrays.stream(ExportKind.values()).map(ExportKind::toString).toList();
        for (String export : exports) {
            if (!kinds.contains(export)) {
                throw new IllegalArgumentException(
                        "monitor.exports must be among " + kinds + " but has '" + export + "'");
            }
        }
        if (!(price >= 0) || Double.isInfinite(price)) {
            throw new IllegalArgumentException("monitor.price must not be negative but is " + price);
        }
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("monitor.port must be between 0 and 65535 but is " + port);
        }
        if (images < 0 || images > MAX_IMAGES) {
            throw new IllegalArgumentException(
                    "monitor.images must be between 0 and " + MAX_IMAGES + " but is " + images);
        }
    }
}
