/** Follows a run: folds its events into a status, a history of bounded size and a summary. */
package io.rasterflow.monitoring.monitor;
