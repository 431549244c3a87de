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
    public void partial(long step, int slot, ByteBuffer slice) {
        peer.partial(self, step, slot, slice);
    }

    @Override
    public void reduced(long step, int chunk, ByteBuffer values) {
        peer.reduced(self, step, chunk, values);
    }

    @Override
    public void scalars(long step, LossCounts[] run) {
        peer.scalars(self, step, run);
    }

    @Override
    public void abort(String reason) {
        peer.lost(self, reason);
    }
}
