/** What can be packed: folders, IDX files, parquet, lists of URLs, other shards. */
package io.rasterflow.streams.pack.source;
