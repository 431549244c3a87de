package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** Float32 on the wire: what has come and what lies in memory look alike. */
final class WideSum implements SliceSum {

    private final ReductionPlan plan;
    private final Slices slices;
    private final int rank;
    private final ByteBuffer[] staging;
    private final FloatBuffer[] sources;

    WideSum(ReductionPlan plan, Slices slices, int rank) {
        this.plan = plan;
        this.slices = slices;
        this.rank = rank;
        this.staging = new ByteBuffer[plan.slots().size()];
        this.sources = new FloatBuffer[plan.slots().size()];
    }

    @Override
    public ByteBuffer staging(int slot, int chunk) {
        if (staging[slot] == null) {
            staging[slot] = FloatSums.allocate(slices.length(rank));
            sources[slot] = staging[slot].asFloatBuffer();
        }
        return chunk(staging[slot], chunk);
    }

    @Override
    public void source(int slot, ByteBuffer slice) {
        sources[slot] = slice.asFloatBuffer();
    }

    @Override
    public void add(int chunk, ByteBuffer own) {
        FloatSums.sum(
                plan, sources, chunk * slices.chunkFloats(), chunk(own, chunk).asFloatBuffer());
    }

    @Override
    public ByteBuffer wire(int chunk, ByteBuffer own) {
        return chunk(own, chunk);
    }

    private ByteBuffer chunk(ByteBuffer slice, int chunk) {
        return FloatSums.view(slice, chunk * slices.chunkFloats(), slices.chunkLength(rank, chunk));
    }
}
