package io.rasterflow.config;

import io.rasterflow.monitoring.alarm.AlarmConfig;

/**
 * The live page, and the alarms of the run.
 *
 * @param page whether it is served
 * @param host address it is served on; anything but a loopback address shows the run to the network
 * @param port 0 takes a free one
 * @param alarms also without the page
 */
public record MonitorConfig(boolean page, String host, int port, AlarmConfig alarms) {
    public MonitorConfig {
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("monitor.port must be between 0 and 65535 but is " + port);
        }
    }
}
