package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;

/** A peer in the same process: it reads this rank's memory, and the calling thread does the peer's work. */
final class LocalLink implements Link {

    private final RankExchange peer;
    private final int self;

    /** The way to {@code peer}, as rank {@code self}. */
    LocalLink(RankExchange peer, int self) {
        this.peer = peer;
        this.self = self;
    }

    @Override
    public void partial(long step, int slot, int bucket, ByteBuffer slice) {
        peer.arrivals().partial(self, step, slot, bucket, slice);
    }

    @Override
    public void reduced(long step, int bucket, int chunk, ByteBuffer values, ByteBuffer wire) {
        peer.arrivals().reduced(self, step, bucket, chunk, values);
    }

    @Override
    public void ring(FrameType type, long step, Ring.Chunk chunk, ByteBuffer values) {
        peer.arrivals().ring(self, type, step, chunk, values);
    }

    /** A rank of this process has joined before it could hear what is decided. */
    @Override
    public boolean sharesSum() {
        return false;
    }

    @Override
    public void commonSum(boolean common) {}

    @Override
    public void scalars(long step, Scalars scalars) {
        peer.arrivals().scalars(self, step, scalars);
    }

    @Override
    public void abort(String reason, int culprit) {
        peer.aborted(self, reason, culprit);
    }
}
