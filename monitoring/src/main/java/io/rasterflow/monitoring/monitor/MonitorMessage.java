package io.rasterflow.monitoring.monitor;

/** Marks what may travel between the monitor and other JVMs: bound to Jackson CBOR in this module's reference.conf. */
public interface MonitorMessage {}
