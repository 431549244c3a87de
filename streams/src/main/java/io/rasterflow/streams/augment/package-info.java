/** From 8-bit pixels to normalised float32 planes: crop, antialiased bicubic resampling, flip. */
package io.rasterflow.streams.augment;
