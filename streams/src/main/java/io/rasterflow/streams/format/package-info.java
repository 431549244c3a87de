/** Image formats as they lie on disk: WebDataset tar shards and IDX files. */
package io.rasterflow.streams.format;
