package io.rasterflow.model.aim;

import ai.djl.ndarray.NDArray;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.program.ParameterLayout.Bucket;
import io.rasterflow.model.program.Workers;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;

/**
 * The threads of one replica. A micro-batch is a row of slices, each computed by one lane, every operator on its one
 * thread. All add to the same gradients, and in the order of the slices: what a slice adds to the gradients of a group of
 * parameters is added once the slice before it has been. Whichever lane has time does so, so the lanes hardly ever wait,
 * need no gradients of their own, and give the same bits whatever their number is.
 */
final class Lanes implements Workers, AutoCloseable {
    /** Values of one layer, tokens times width, that a slice should not exceed: its hidden layer of 3 MB stays in the cache. */
    private static final int SLICE_VALUES = 192 * 1024;

    /** Slices come in multiples of it, so that none of so many lanes is idle in the end. */
    private static final int EVEN = 4;

    /** Groups whose terms a lane derives ahead of their addition: each keeps the activations of one alive. */
    private static final int AHEAD = 1;

    /** The same where nothing can be added yet. */
    private static final int FAR_AHEAD = 3;

    private final List<Lane> lanes;
    private final List<Bucket> buckets;

    /** Bucket of each group. */
    private final int[] bucketOf;

    private final ExecutorService others;

    /** @param buckets of the gradients, in the order of their groups */
    Lanes(List<Lane> lanes, List<Bucket> buckets) {
        this.lanes = List.copyOf(lanes);
        this.buckets = List.copyOf(buckets);
        bucketOf = new int[buckets.get(buckets.size() - 1).endGroup()];
        for (int b = 0; b < buckets.size(); b++) {
            Arrays.fill(bucketOf, buckets.get(b).firstGroup(), buckets.get(b).endGroup(), b);
        }
        others = Executors.newFixedThreadPool(Math.max(1, lanes.size() - 1), work -> {
            Thread thread = new Thread(work, "replica-lane");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Takes the weights, which all lanes share. */
    void bind(List<NDArray> weights, List<NDArray> operands) {
        lanes.forEach(lane -> lane.bind(weights, operands));
    }

    /**
     * Into how many slices of whole images a micro-batch falls on a processor, where only a slice's activations are held
     * at a time. The number of lanes has no say: the order of a sum decides its last bits.
     */
    static int slices(AimConfig config, int images) {
        long values = (long) images * config.patches() * config.trunk().dim();
        long slices = (values + SLICE_VALUES - 1) / SLICE_VALUES;
        long even = slices <= 2 ? slices : (slices + EVEN - 1) / EVEN * EVEN;
        return (int) Math.min(images, even);
    }

    /**
     * Sum of the loss and of its gradients.
     *
     * @param gradientSum a tensor per bucket, overwritten
     * @param ready called on this thread with the index of every bucket once it is complete, the last first
     */
    LossSum gradients(ByteBuffer images, List<Predicted> slices, List<NDArray> gradientSum, IntConsumer ready) {
        Pass pass = new Pass(images, slices, gradientSum, ready);
        onEveryLane(pass::run);
        return pass.result();
    }

    int count() {
        return lanes.size();
    }

    @Override
    public void each(int tasks, Task task) {
        AtomicInteger next = new AtomicInteger();
        onEveryLane(lane -> {
            for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
                task.run(lane, i);
            }
        });
    }

    /** Runs work on every lane, the first on this thread, and waits for all. */
    private void onEveryLane(IntConsumer work) {
        List<Future<?>> running = new ArrayList<>();
        for (int k = 1; k < lanes.size(); k++) {
            int lane = k;
            running.add(others.submit(() -> work.accept(lane)));
        }
        Throwable failure = null;
        try {
            work.accept(0);
        } catch (RuntimeException | Error e) {
            failure = e;
        }
        for (Future<?> lane : running) {
            Throwable other = join(lane);
            failure = failure == null ? other : failure;
        }
        rethrow(failure);
    }

    private static void rethrow(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure instanceof RuntimeException exception) {
            throw exception;
        }
    }

    /**
     * Waits even when interrupted: a lane that goes on would compute in memory that its replica may give back. Returns what
     * the lane failed with, or null.
     */
    private static Throwable join(Future<?> lane) {
        boolean interrupted = false;
        Throwable failure = null;
        while (true) {
            try {
                lane.get();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                failure = e.getCause();
                break;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return failure;
    }

    int liveTensors() {
        return lanes.stream().mapToInt(Lane::liveTensors).sum();
    }

    @Override
    public void close() {
        others.shutdown();
        lanes.forEach(Lane::close);
    }

    /** One micro-batch on its way. */
    private final class Pass {
        private final ByteBuffer images;
        private final List<Predicted> slices;
        private final List<NDArray> gradientSum;
        private final IntConsumer ready;
        private final LossSum[] losses;
        private final int[] firstImages;

        /** The lane that computes each slice. */
        private final int[] laneOf;

        private final AtomicInteger nextSlice = new AtomicInteger();

        /** Groups of each slice, from the last one on, whose terms exist. */
        private final int[] derived;

        /** Slices whose terms are part of each group's gradient, and whether a lane is adding the next one's. */
        private final int[] added;

        private final boolean[] adding;

        /** Groups that each lane is ahead. */
        private final int[] ahead;

        private int announced;
        private Throwable failure;

        private Pass(ByteBuffer images, List<Predicted> slices, List<NDArray> gradientSum, IntConsumer ready) {
            this.images = images;
            this.slices = slices;
            this.gradientSum = gradientSum;
            this.ready = ready;
            losses = new LossSum[slices.size()];
            firstImages = new int[slices.size()];
            for (int s = 1; s < slices.size(); s++) {
                firstImages[s] = firstImages[s - 1] + slices.get(s - 1).images();
            }
            laneOf = new int[slices.size()];
            derived = new int[slices.size()];
            added = new int[bucketOf.length];
            adding = new boolean[bucketOf.length];
            ahead = new int[lanes.size()];
            announced = buckets.size();
        }

        private void run(int k) {
            try {
                int before = -1;
                for (int s = nextSlice.getAndIncrement(); s < slices.size(); s = nextSlice.getAndIncrement()) {
                    losses[s] = lanes.get(k).forward(images, firstImages[s], slices.get(s));
                    if (lanes.size() == 1) {
                        backwardAlone(s);
                    } else {
                        backward(k, s, before);
                    }
                    before = s;
                }
                add(k, () -> !complete(0), () -> !complete(0));
                announce(k);
            } catch (RuntimeException | Error e) {
                fail(e);
            }
        }

        /** Alone, a lane waits for nobody and needs one call for the whole bucket. */
        private void backwardAlone(int slice) {
            for (int b = buckets.size() - 1; b >= 0; b--) {
                Bucket bucket = buckets.get(b);
                lanes.get(0).backward(bucket.firstGroup(), bucket.endGroup(), slice == 0, gradientSum.get(b));
                Arrays.fill(added, bucket.firstGroup(), bucket.endGroup(), slice + 1);
                announce(0);
            }
        }

        /** @param before the slice that the lane computed before this one, or -1 */
        private void backward(int k, int slice, int before) {
            laneOf[slice] = k;
            for (int group = bucketOf.length - 1; group >= 0; group--) {
                int next = group;
                BooleanSupplier inUse = () -> added[next] <= before;
                add(k, inUse, inUse);
                lanes.get(k).derive(group);
                derived(k, slice);
                add(k, () -> ahead[k] > AHEAD, () -> ahead[k] > FAR_AHEAD);
            }
        }

        /** Adds the terms that are next as long as that is wanted, and waits for some as long as that is needed. */
        private void add(int k, BooleanSupplier wanted, BooleanSupplier needed) {
            for (int group = take(k, wanted, needed); group >= 0; group = take(k, wanted, needed)) {
                int slice = added[group];
                lanes.get(laneOf[slice]).add(group, slice == 0, gradientSum.get(bucketOf[group]));
                give(group, slice);
                announce(k);
            }
        }

        private synchronized void derived(int k, int slice) {
            derived[slice]++;
            ahead[k]++;
            notifyAll();
        }

        /** A group that has terms to add, those of the lane itself first; -1 if none is wanted or worth waiting for. */
        private synchronized int take(int k, BooleanSupplier wanted, BooleanSupplier needed) {
            while (true) {
                if (failure != null) {
                    throw new CancellationException("another lane failed: " + failure.getMessage());
                }
                int taken = wanted.getAsBoolean() ? nextToAdd(k) : -1;
                if (taken >= 0) {
                    adding[taken] = true;
                }
                if (taken >= 0 || !needed.getAsBoolean()) {
                    return taken;
                }
                await();
            }
        }

        private int nextToAdd(int k) {
            int next = -1;
            for (int group = bucketOf.length - 1; group >= 0; group--) {
                if (addable(group) && (next < 0 || laneOf[added[group]] == k && laneOf[added[next]] != k)) {
                    next = group;
                }
            }
            return next;
        }

        private boolean addable(int group) {
            return !adding[group] && added[group] < slices.size() && derived[added[group]] >= bucketOf.length - group;
        }

        private void await() {
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancellationException("interrupted while the lanes of a replica were computing");
            }
        }

        private synchronized void give(int group, int slice) {
            adding[group] = false;
            added[group]++;
            ahead[laneOf[slice]]--;
            notifyAll();
        }

        private synchronized void fail(Throwable e) {
            failure = failure == null ? e : failure;
            notifyAll();
        }

        /** Lane 0, on the thread of the caller, tells of complete buckets. */
        private void announce(int k) {
            while (k == 0 && announced > 0 && complete(announced - 1)) {
                announced--;
                ready.accept(announced);
            }
        }

        /** Whether the gradients of a bucket, and so of those behind it, hold every slice. */
        private synchronized boolean complete(int bucket) {
            for (int group = buckets.get(bucket).firstGroup(); group < bucketOf.length; group++) {
                if (added[group] < slices.size()) {
                    return false;
                }
            }
            return true;
        }

        private LossSum result() {
            rethrow(failure);
            LossSum sum = LossSum.ZERO;
            for (LossSum loss : losses) {
                sum = sum.plus(loss);
            }
            return sum;
        }
    }
}
