/** The back-pressured pipeline from positions to native batches. */
package io.rasterflow.streams.batch;
