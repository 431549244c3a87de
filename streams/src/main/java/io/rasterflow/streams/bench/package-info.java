/** What the input pipeline does per second on this machine. */
package io.rasterflow.streams.bench;
