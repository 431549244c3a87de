package io.rasterflow.actors.exchange;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A rank's gradients in a memory-mapped file that peers of the same host read ({@link PeerMemory}). The file has a name
 * only until all of them have mapped it: from then on the memory lives as long as its mappings, so nothing is left of a
 * process that is killed. Mappings are undone by the collector, as direct memory is: a late write may still look at them.
 *
 * <p>Why nothing is overwritten while a peer reads it, although nobody is asked. A partial sum of step s is rewritten when
 * its rank has completed s, so it holds every owner's finished slice, and an owner finishes a slice only after it has read
 * everybody's partial sums. An owner rewrites its finished slice when it holds everybody's partial sums of step s + 1, and a peer
 * contributes to s + 1 only after its caller has begun it, so it has copied this slice or, in a sum that all ranks have in
 * common, is done with it. The sum takes the place of a partial sum, whose memory is not used again in the next step. The frames that announce memory follow
 * the writes to it and precede the reads; a connection keeps their order.
 */
final class SharedSegment implements GradientMemory {

    private static final int BLOCK = 1 << 20;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Path file;
    private final SegmentLayout layout;
    private final GradientMemory spare;
    private final byte[] token = new byte[SegmentLayout.TOKEN_BYTES];
    private final List<List<ByteBuffer>> gradients = new ArrayList<>();
    private int given;

    /**
     * Makes the file, readable for its owner only, and takes all of its memory now: a write to a mapping that finds no
     * memory would end the process.
     */
    SharedSegment(Path file, ReductionPlan plan, int rank) throws IOException {
        this.file = file;
        this.layout = new SegmentLayout(plan, rank);
        this.spare = GradientMemory.direct(plan);
        RANDOM.nextBytes(token);
        var ownerOnly = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        var options = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
        boolean made = false;
        try (FileChannel channel = FileChannel.open(file, options, ownerOnly)) {
            reserve(channel);
            for (int gradient = 0; gradient < layout.gradients(); gradient++) {
                List<ByteBuffer> buckets = new ArrayList<>();
                for (Slices slices : plan.buckets()) {
                    buckets.add(map(channel, layout.gradientStart(gradient, slices.bucket()), slices.floats()));
                }
                gradients.add(List.copyOf(buckets));
            }
            made = true;
        } finally {
            if (!made) {
                Files.deleteIfExists(file);
            }
        }
    }

    private void reserve(FileChannel channel) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect(BLOCK);
        while (channel.position() < layout.bytes()) {
            zeros.clear().limit((int) Math.min(BLOCK, layout.bytes() - channel.position()));
            channel.write(zeros);
        }
        channel.write(ByteBuffer.wrap(token), 0);
    }

    /** Reads each page: the kernel then maps sixteen at once, where first writes would have it map them one by one. */
    private static ByteBuffer map(FileChannel channel, long start, int floats) throws IOException {
        return channel.map(FileChannel.MapMode.READ_WRITE, start, (long) floats * Float.BYTES)
                .load()
                .order(ByteOrder.nativeOrder());
    }

    @Override
    public List<ByteBuffer> gradient() {
        // More than the layout has are asked for after a failure only; no peer reads them.
        return given < gradients.size() ? gradients.get(given++) : spare.gradient();
    }

    /** Which gradient this buffer of a bucket belongs to. */
    int gradientOf(int bucket, ByteBuffer buffer) {
        for (int gradient = 0; gradient < gradients.size(); gradient++) {
            if (gradients.get(gradient).get(bucket) == buffer) {
                return gradient;
            }
        }
        throw new IllegalStateException("bucket " + bucket + " does not lie in shared memory");
    }

    Path file() {
        return file;
    }

    /** By which a peer knows that it has opened this very file. */
    byte[] token() {
        return token.clone();
    }

    long bytes() {
        return layout.bytes();
    }

    /** Takes the file's name away: all peers that can map it have. */
    void unlink() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            SharedMemory.LOG.warn("{} cannot be deleted: {}", file, e.getMessage());
        }
    }
}
