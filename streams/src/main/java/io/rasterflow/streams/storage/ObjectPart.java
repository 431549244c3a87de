package io.rasterflow.streams.storage;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Flow;

/**
 * A response that has begun.
 *
 * @param from offset of its first byte in the object
 * @param total size of the whole object; {@link ObjectInfo#UNKNOWN_SIZE} if the response does not tell
 * @param version of the object, as {@link ObjectInfo#version}
 * @param body the bytes from {@code from} to the end of the object; has to be subscribed to
 */
record ObjectPart(long from, long total, String version, Flow.Publisher<List<ByteBuffer>> body) {}
