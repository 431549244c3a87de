/** A list of runs that differ by an override or two, trained one after another and compared in one table. */
package io.rasterflow.sweep;
