/** Journals in the formats of other tools, afterwards or while a run goes on. */
package io.rasterflow.monitoring.export;
