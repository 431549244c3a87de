/** The node-local journal (Chronicle Queue) of a run, its readers and its export as text. */
package io.rasterflow.monitoring.journal;
