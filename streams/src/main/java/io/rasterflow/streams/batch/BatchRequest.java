package io.rasterflow.streams.batch;

/**
 * A batch that is to be made.
 *
 * @param step global step, or number of the evaluation batch
 * @param microBatch index within the step
 * @param firstPosition global position of its first image
 * @param size B images
 */
record BatchRequest(long step, int microBatch, long firstPosition, int size) {}
