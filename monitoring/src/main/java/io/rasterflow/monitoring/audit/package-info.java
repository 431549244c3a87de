/** The proof, from the journals of a run, that every sample position was used exactly once. */
package io.rasterflow.monitoring.audit;
