package io.rasterflow.actors.trainer;

import io.rasterflow.actors.exchange.ExchangeException;
import io.rasterflow.actors.exchange.PeerState;
import io.rasterflow.model.Replica;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A replica's weights and optimizer state on their way to another rank: what {@link Snapshot} holds, one block a tensor,
 * in name order.
 *
 * <pre>
 *   header   "STEP DIGEST"
 *   blocks   weights | first moments | second moments | average of the weights, where the run keeps one
 * </pre>
 */
final class ReplicaState {

    private ReplicaState() {}

    static PeerState encode(Snapshot snapshot, String digest) {
        List<ByteBuffer> blocks = new ArrayList<>();
        for (SortedMap<String, Tensor> part :
                List.of(snapshot.weights(), snapshot.firstMoments(), snapshot.secondMoments(), snapshot.average())) {
            part.values().forEach(tensor -> blocks.add(bytes(tensor)));
        }
        return new PeerState((snapshot.step() + " " + digest).getBytes(StandardCharsets.UTF_8), blocks);
    }

    private static ByteBuffer bytes(Tensor tensor) {
        ByteBuffer block =
                ByteBuffer.allocate(tensor.values().remaining() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        block.asFloatBuffer().put(tensor.values().duplicate());
        return block;
    }

    /** Bytes of every block that a replica like this one has. */
    static List<Long> blockBytes(Replica replica, boolean averaged) {
        List<Long> part = replica.shapes().values().stream()
                .map(shape -> size(shape) * Float.BYTES)
                .toList();
        List<Long> all = new ArrayList<>();
        for (int i = 0; i < parts(averaged); i++) {
            all.addAll(part);
        }
        return all;
    }

    private static int parts(boolean averaged) {
        return averaged ? 4 : 3;
    }

    private static long size(long[] shape) {
        long size = 1;
        for (long side : shape) {
            size *= side;
        }
        return size;
    }

    /**
     * @param step that it must be of
     * @param digest of the history that it must have
     * @throws ExchangeException if it is of another
     */
    static Snapshot decode(PeerState state, Replica replica, boolean averaged, long step, String digest) {
        String header = new String(state.header(), StandardCharsets.UTF_8);
        if (!header.equals(step + " " + digest)) {
            throw new ExchangeException(
                    "a peer sent the weights of \"" + header + "\", not of \"" + step + " " + digest + "\"");
        }
        Iterator<ByteBuffer> blocks = state.blocks().iterator();
        List<SortedMap<String, Tensor>> parts = new ArrayList<>();
        for (int i = 0; i < parts(averaged); i++) {
            SortedMap<String, Tensor> part = new TreeMap<>();
            for (Map.Entry<String, long[]> shape : replica.shapes().entrySet()) {
                ByteBuffer block = blocks.next().duplicate().order(ByteOrder.LITTLE_ENDIAN);
                part.put(shape.getKey(), new Tensor(shape.getValue(), block.asFloatBuffer()));
            }
            parts.add(part);
        }
        return new Snapshot(
                step, parts.get(0), parts.get(1), parts.get(2), averaged ? parts.get(3) : Collections.emptySortedMap());
    }
}
