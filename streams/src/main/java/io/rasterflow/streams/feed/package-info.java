/**
 * Images that arrive over HTTP, kept in a bounded durable buffer and read as an endless data set.
 *
 * <p>{@link io.rasterflow.streams.feed.FeedServer} receives, {@link io.rasterflow.streams.feed.FeedReader} reads, and
 * {@link io.rasterflow.streams.feed.FeedConsumer} tells the receiver what is no longer needed. The n-th image to arrive is
 * sample n; S consecutive ones are a shard, which can be read once it is <em>sealed</em>, that is complete and on disk.
 *
 * <pre>
 *  DIR/feed.json          the layout, fixed when the buffer is made
 *  DIR/queue/             a Chronicle Queue with one cycle file for each shard that is kept
 *  DIR/sealed             an entry for each shard that was ever sealed
 *  DIR/consumers/NAME     how far a consumer has come
 *  DIR/receiver.lock      held by the one receiver, freed by the operating system when it dies
 * </pre>
 */
package io.rasterflow.streams.feed;
