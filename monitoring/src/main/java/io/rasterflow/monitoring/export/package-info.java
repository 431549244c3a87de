/** Journals in the formats of other tools. */
package io.rasterflow.monitoring.export;
