/** Comparison with reference cases that were computed by the papers' authors' code. */
package io.rasterflow.model.parity;
