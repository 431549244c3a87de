/**
 * Where shards come from: files, HTTP(S) and S3 behind one {@link io.rasterflow.streams.storage.Storage}, which brings whole
 * objects into local files over flaky networks; and files that appear whole or not at all.
 *
 * <p>{@code Storage → Download → Transfer → ObjectStore}: a fetch repeats transfers until the part file is complete, a transfer
 * is one request whose body arrives under a deadline, a store speaks one protocol.
 */
package io.rasterflow.streams.storage;
