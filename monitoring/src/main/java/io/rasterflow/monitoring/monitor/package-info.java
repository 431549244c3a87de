/** The monitor actor. */
package io.rasterflow.monitoring.monitor;
