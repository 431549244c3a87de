/**
 * Shard files and what is in them: formats, the samples of a tar, labels and fields, image folders. Every reader takes its
 * input for hostile.
 */
package io.rasterflow.streams.format;
