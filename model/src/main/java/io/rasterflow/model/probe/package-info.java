/** Probes on frozen features. */
package io.rasterflow.model.probe;
