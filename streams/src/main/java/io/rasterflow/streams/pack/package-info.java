/** Makes and checks shards. */
package io.rasterflow.streams.pack;
