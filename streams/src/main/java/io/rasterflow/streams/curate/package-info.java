/** Which samples of a shard are used: filters that are applied while it is indexed, each rejection counted by its cause. */
package io.rasterflow.streams.curate;
