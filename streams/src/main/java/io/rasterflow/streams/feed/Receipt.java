package io.rasterflow.streams.feed;

/**
 * What became of an image that was taken.
 *
 * @param sequence its number
 * @param duplicate whether it had been taken before, under this number
 */
record Receipt(long sequence, boolean duplicate) {}
