/** From JPEG, PNG, WebP and GIF bytes to upright 8-bit pixels, safe on hostile bytes. */
package io.rasterflow.streams.decode;
