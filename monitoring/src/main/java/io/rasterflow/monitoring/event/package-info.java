/** What can happen in a run. */
package io.rasterflow.monitoring.event;
