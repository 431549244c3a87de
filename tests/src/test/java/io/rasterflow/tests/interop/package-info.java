/** Weights from and for others. */
package io.rasterflow.tests.interop;
