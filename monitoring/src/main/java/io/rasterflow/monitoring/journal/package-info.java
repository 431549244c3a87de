/** The node-local journal (Chronicle Queue). */
package io.rasterflow.monitoring.journal;
