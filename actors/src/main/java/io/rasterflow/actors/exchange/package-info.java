/**
 * The data plane: gradient all-reduce in canonical order, liveness of peers, transfer of state to those that join.
 *
 * <p>{@link io.rasterflow.actors.exchange.DataPlane} (one per process) joins a
 * {@link io.rasterflow.actors.exchange.Generation} as one rank or several; each gets an
 * {@link io.rasterflow.actors.exchange.Exchange}. A step with three ranks and six micro-batches:
 *
 * <pre>
 *   rank 0: micro-batches 0 1    rank 1: 2 3        rank 2: 4 5
 *        0 + 1                       2 + 3              4 + 5           own subtrees, as they are contributed
 *          |                           |                  |
 *          +--- slice r of each partial sum goes to its owner, rank r --+             PARTIAL
 *          |                           |                  |
 *     slice 0 added             slice 1 added       slice 2 added       chunk by chunk, in tree order
 *          |                           |                  |
 *          +---------- every owner gives its slice to everybody --------+             REDUCED
 * </pre>
 *
 * <p>This happens bucket by bucket, each as soon as it is final, the last first. Large worlds use a {@code Ring} instead.
 *
 * <p>Loss and counts of all micro-batches go to everybody (SCALARS) and are added in the same order everywhere. Ranks of
 * one process hand over views of their memory ({@code LocalLink}); the others speak {@code FrameHeader}'s frames over TCP
 * after {@code Greeting}'s handshake ({@code SocketLink}). Where two processes share a host, the frames only say what can be
 * read in the other's memory ({@code SegmentHandshake}, {@code SharedSegment}, {@code PeerMemory}). {@code StepProgress}
 * holds the state of a rank and argues why one buffer per partial sum is enough. When one rank leaves or breaks, the
 * exchange fails on all ranks and the generation is over; connections are per generation. What is not yet sent waits as
 * ranges of buffers that exist anyway, and frames are made while a channel is below its water mark, so bytes in flight are
 * bounded without credits.
 *
 * <p>Outside of generations, {@code Visits} asks a process whether it is there and fetches a replica's state.
 */
package io.rasterflow.actors.exchange;
