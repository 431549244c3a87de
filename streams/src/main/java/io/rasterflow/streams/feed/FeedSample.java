package io.rasterflow.streams.feed;

/**
 * One image of a feed.
 *
 * @param sequence its number, 0 for the first image that ever arrived
 * @param key name that the sender gave it, else its number
 * @param label class, -1 if it has none
 * @param caption text that the sender gave it, or empty
 * @param arrivedMillis when it arrived, in milliseconds since 1970
 * @param image the encoded image; the caller's own
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record FeedSample(long sequence, String key, int label, String caption, long arrivedMillis, byte[] image) {}
