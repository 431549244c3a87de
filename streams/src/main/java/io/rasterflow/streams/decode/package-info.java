/** From PNG and JPEG bytes to 8-bit pixels. */
package io.rasterflow.streams.decode;
