package io.rasterflow.actors.trainer;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.exchange.PeerState;
import io.rasterflow.actors.membership.Origin;
import io.rasterflow.actors.membership.Placement;
import io.rasterflow.actors.membership.Roster;
import io.rasterflow.model.Compute;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.program.Engines;
import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.order.BatchPlan;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.Serializer;
import org.apache.pekko.serialization.Serializers;
import org.apache.pekko.stream.SystemMaterializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a process takes time for when it does it for the first time (classes, compiled programs, kernels, the first shard)
 * is done once before the trainer announces itself, and forgotten: the ranks that it joins would all wait for it at their
 * next step. Nothing of it is journalled.
 */
final class Rehearsal {

    /** The state of a larger model takes longer than anything that is gained. */
    private static final long MOST_PARAMETERS = 50_000_000;

    private static final Logger LOG = LoggerFactory.getLogger(Rehearsal.class);

    private final TrainerNode node;
    private final ActorSystem<?> system;

    Rehearsal(TrainerNode node, ActorSystem<?> system) {
        this.node = node;
        this.system = system;
    }

    /**
     * A replica that has done all of it; the caller closes it.
     *
     * @param own address of its trainer
     * @throws IOException as below
     */
    Replica replica(DataAddress own) throws IOException, InterruptedException {
        Replica replica = Aim.replica(node.plan().model(), node.plan().optimizer(), compute(own.replica()));
        try {
            perform(replica, own);
            return replica;
        } catch (IOException | InterruptedException | RuntimeException | OutOfMemoryError e) {
            replica.close();
            throw e;
        }
    }

    private Compute compute(int replicaIndex) {
        Compute compute = node.plan().train().compute();
        return compute.device().equals("cpu") ? compute : compute.forReplica(replicaIndex, Engines.gpus());
    }

    /**
     * One micro-batch from its shards through the replica, whose weights are undefined before and afterwards, and its
     * state over the data plane and back.
     *
     * @throws IOException as the stream of training images; what else that fails with is thrown as it is, too, for a step
     *     would find it the same way
     */
    private void perform(Replica replica, DataAddress own) throws IOException, InterruptedException {
        BatchPlan plan = node.plan().train().batches();
        if (node.nextStep() < node.plan().train().steps()) {
            if (node.plan().data().feed().used()) {
                blank(replica, plan.size(0)); // What a feed has is not to be had twice.
            } else {
                compute(replica, plan);
            }
        }
        if (replica.parameters() <= MOST_PARAMETERS) {
            fetchState(replica, own);
        }
        readForm(own);
    }

    private void compute(Replica replica, BatchPlan plan) throws IOException, InterruptedException {
        var source = Batches.training(
                node.images(),
                node.plan().train().seed(),
                plan,
                node.plan().data().augment(),
                node.plan().data().stream(),
                node.nextStep(),
                node.nextStep() + 1,
                0,
                1);
        try (BatchReader reader =
                        BatchReader.open(source, SystemMaterializer.get(system).materializer());
                Batch batch = first(reader)) {
            replica.rehearse(batch.images(), batch.keys());
        }
    }

    private static Batch first(BatchReader reader) throws IOException, InterruptedException {
        try {
            return reader.pull().toCompletableFuture().get().orElseThrow();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException("the data stream failed: " + e.getCause(), e.getCause());
        }
    }

    private void blank(Replica replica, int images) {
        int values = Math.multiplyExact(images, node.plan().data().augment().imageValues());
        ByteBuffer blank = ByteBuffer.allocateDirect(Math.multiplyExact(values, Float.BYTES))
                .order(ByteOrder.nativeOrder());
        replica.rehearse(blank, new long[images]);
    }

    /** From this very process, as a peer would. */
    private void fetchState(Replica replica, DataAddress own) throws InterruptedException {
        boolean averaged = node.plan().optimizer().averages();
        PeerState offered = ReplicaState.encode(replica.snapshot(), "");
        node.dataPlane().offer(own.replica(), () -> CompletableFuture.completedFuture(offered));
        try {
            PeerState state = node.dataPlane()
                    .fetch(own, ReplicaState.blockBytes(replica, averaged))
                    .toCompletableFuture()
                    .get();
            replica.restore(ReplicaState.decode(state, replica, averaged, 0, ""));
        } catch (ExecutionException e) {
            // A process may not reach itself by the address under which others reach it.
            LOG.debug("the state of {} was not fetched", own, e);
        }
    }

    /** The order that puts a trainer into a generation, to its serializer and back. */
    private void readForm(DataAddress own) {
        Roster roster = Roster.whole(new Generation(1, List.of(own), 1), 0);
        Origin origin = new Origin(Origin.Kind.PEER, "", Optional.of(own));
        Trainer.Form form = new Trainer.Form(new Placement(roster, 0, 0, "", origin, 0));
        Serialization serialization = SerializationExtension.get(Adapter.toClassic(system));
        Serializer serializer = serialization.findSerializerFor(form);
        byte[] bytes = serialization.serialize(form).get();
        var unused = serialization
                .deserialize(bytes, serializer.identifier(), Serializers.manifestFor(serializer, form))
                .get();
    }
}
