/** Native buffers and who owns them. */
package io.rasterflow.streams.memory;
