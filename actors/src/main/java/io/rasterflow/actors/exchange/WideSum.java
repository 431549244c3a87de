package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** Float32 on the wire: what has come and what lies in memory look alike. */
final class WideSum implements SliceSum {

    private final ReductionPlan plan;
    private final Slices slices;
    private final int rank;
    private final Staging.Slice staged;
    /** By slot; null for what comes over a socket. */
    private final ByteBuffer[] sources;

    WideSum(ReductionPlan plan, Slices slices, int rank, Staging staging) {
        this.plan = plan;
        this.slices = slices;
        this.rank = rank;
        this.staged = staging.new Slice(plan.slots().size(), slices.chunks(rank));
        this.sources = new ByteBuffer[plan.slots().size()];
    }

    @Override
    public ByteBuffer staging(int slot, int chunk) {
        return FloatSums.view(staged.place(slot, chunk), 0, slices.chunkLength(rank, chunk));
    }

    @Override
    public void source(int slot, ByteBuffer slice) {
        sources[slot] = slice;
    }

    @Override
    public void add(int chunk, ByteBuffer own) {
        FloatBuffer[] addends = new FloatBuffer[sources.length];
        for (int slot = 0; slot < addends.length; slot++) {
            ByteBuffer come = staged.at(slot, chunk);
            addends[slot] = (come == null ? chunk(sources[slot], chunk) : come).asFloatBuffer();
        }
        FloatSums.sum(plan, addends, chunk(own, chunk).asFloatBuffer());
    }

    @Override
    public void release(int chunk) {
        staged.release(chunk);
    }

    @Override
    public ByteBuffer wire(int chunk, ByteBuffer own) {
        return chunk(own, chunk);
    }

    private ByteBuffer chunk(ByteBuffer slice, int chunk) {
        return FloatSums.view(slice, chunk * slices.chunkFloats(), slices.chunkLength(rank, chunk));
    }
}
