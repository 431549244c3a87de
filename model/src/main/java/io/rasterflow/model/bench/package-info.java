/** Measures of the engine, to be read beside a peer's in one sitting. */
package io.rasterflow.model.bench;
