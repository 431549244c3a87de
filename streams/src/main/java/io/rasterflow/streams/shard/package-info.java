/** Shards: their names, their index, the local cache and random access to the samples in them. */
package io.rasterflow.streams.shard;
