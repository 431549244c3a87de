package io.rasterflow.model.aim;

import ai.djl.ndarray.NDArray;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.program.ParameterLayout.Bucket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;

/**
 * The threads of one replica. A micro-batch is a row of slices; lane k computes slices k, k + T, k + 2T, ... of T lanes,
 * each operator on its one thread. All add to the same gradients, and in the order of the slices: a slice may pass a group
 * of parameters backward once the slice before it has passed it. The lanes so follow each other at a distance of one
 * group, hardly ever wait, need no gradients of their own, and give the same bits whatever T is.
 */
final class Lanes implements AutoCloseable {
    /** Values of one layer, tokens times width, that a slice should not exceed: its hidden layer of 3 MB stays in the cache. */
    private static final int SLICE_VALUES = 192 * 1024;

    /** Slices come in multiples of it, so that none of so many lanes is idle in the end. */
    private static final int EVEN = 4;

    private final List<Lane> lanes;
    private final List<Bucket> buckets;
    private final ExecutorService others;

    /** @param buckets of the gradients, in the order of their groups */
    Lanes(List<Lane> lanes, List<Bucket> buckets) {
        this.lanes = List.copyOf(lanes);
        this.buckets = List.copyOf(buckets);
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
        List<Future<?>> running = new ArrayList<>();
        for (int k = 1; k < lanes.size(); k++) {
            int lane = k;
            running.add(others.submit(() -> pass.run(lane)));
        }
        pass.run(0);
        running.forEach(Lanes::join);
        return pass.result();
    }

    /** Waits even when interrupted: a lane that goes on would compute in memory that its replica may give back. */
    private static void join(Future<?> lane) {
        boolean interrupted = false;
        while (true) {
            try {
                lane.get();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
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

        /** Slices that have passed each group backward. */
        private final int[] passed;

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
            passed = new int[buckets.get(buckets.size() - 1).endGroup()];
            announced = buckets.size();
        }

        private void run(int k) {
            try {
                for (int s = k; s < slices.size(); s += lanes.size()) {
                    losses[s] = lanes.get(k).forward(images, firstImages[s], slices.get(s));
                    for (int b = buckets.size() - 1; b >= 0; b--) {
                        backward(lanes.get(k), s, b);
                        if (k == 0) {
                            announce(false);
                        }
                    }
                }
                if (k == 0) {
                    announce(true);
                }
            } catch (RuntimeException | Error e) {
                fail(e);
            }
        }

        private void backward(Lane lane, int slice, int b) {
            Bucket bucket = buckets.get(b);
            // Alone, a lane waits for nobody and needs one call for the whole bucket.
            int span = lanes.size() == 1 ? bucket.endGroup() - bucket.firstGroup() : 1;
            for (int end = bucket.endGroup(); end > bucket.firstGroup(); end -= span) {
                await(end - 1, slice);
                lane.backward(end - span, end, slice == 0, gradientSum.get(b));
                pass(end - span, end);
            }
        }

        private synchronized void await(int group, int slices) {
            while (passed[group] < slices && failure == null) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new CancellationException("interrupted while the lanes of a replica were computing");
                }
            }
            if (failure != null) {
                throw new CancellationException("another lane failed: " + failure.getMessage());
            }
        }

        private synchronized void pass(int start, int end) {
            for (int group = start; group < end; group++) {
                passed[group]++;
            }
            notifyAll();
        }

        private synchronized void fail(Throwable e) {
            failure = failure == null ? e : failure;
            notifyAll();
        }

        /** Tells of complete buckets; all of them, or those that are complete already. */
        private void announce(boolean all) {
            while (announced > 0 && (all || complete(announced - 1))) {
                await(buckets.get(announced - 1).firstGroup(), slices.size());
                announced--;
                ready.accept(announced);
            }
        }

        private synchronized boolean complete(int bucket) {
            return passed[buckets.get(bucket).firstGroup()] == slices.size();
        }

        private LossSum result() {
            if (failure instanceof Error error) {
                throw error;
            }
            if (failure instanceof RuntimeException exception) {
                throw exception;
            }
            LossSum sum = LossSum.ZERO;
            for (LossSum loss : losses) {
                sum = sum.plus(loss);
            }
            return sum;
        }
    }
}
