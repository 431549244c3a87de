/** A run in a terminal: frames of text, drawn by JLine. */
package io.rasterflow.monitoring.top;
