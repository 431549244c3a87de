package io.rasterflow.actors.exchange;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What a rank reads of a peer's {@link SharedSegment}: its own slice of the peer's partial sums, and the peer's finished
 * slices. Of rank 0 it has the whole sum, to write its own slice there if that becomes the sum of all.
 */
final class PeerMemory {

    private final ReductionPlan plan;
    private final int peer;
    private final List<List<ByteBuffer>> partials = new ArrayList<>();
    private final List<ByteBuffer> finished = new ArrayList<>();
    private final List<ByteBuffer> sums = new ArrayList<>();

    /**
     * Maps the parts of the file that concern {@code rank}.
     *
     * @throws IOException one line, if the file is not the peer's or cannot be mapped
     */
    PeerMemory(Path file, byte[] token, ReductionPlan plan, int peer, int rank) throws IOException {
        this.plan = plan;
        this.peer = peer;
        SegmentLayout layout = new SegmentLayout(plan, peer);
        if (!SharedMemory.isSegment(file) || !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException("there is no file " + file + " here");
        }
        Set<OpenOption> access =
                peer == 0 ? Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE) : Set.of(StandardOpenOption.READ);
        try (FileChannel channel = FileChannel.open(file, access)) {
            ByteBuffer found = ByteBuffer.allocate(token.length);
            if (channel.size() != layout.bytes()
                    || channel.read(found, 0) != token.length
                    || !MessageDigest.isEqual(found.array(), token)) {
                throw new IOException(file + " is another file here");
            }
            for (int gradient = 0; gradient < layout.gradients(); gradient++) {
                List<ByteBuffer> buckets = new ArrayList<>();
                for (Slices slices : plan.buckets()) {
                    long start =
                            layout.gradientStart(gradient, slices.bucket()) + (long) slices.start(rank) * Float.BYTES;
                    buckets.add(map(channel, start, slices.length(rank)));
                }
                partials.add(buckets);
            }
            for (Slices slices : plan.buckets()) {
                long start = layout.sumStart(slices.bucket());
                if (peer == 0) {
                    sums.add(SharedSegment.map(channel, start, slices.floats()));
                    finished.add(FloatSums.view(sums.get(slices.bucket()), slices.start(peer), slices.length(peer)));
                } else {
                    finished.add(map(channel, start + (long) slices.start(peer) * Float.BYTES, slices.length(peer)));
                }
            }
        }
    }

    private static ByteBuffer map(FileChannel channel, long start, int floats) throws IOException {
        return channel.map(FileChannel.MapMode.READ_ONLY, start, (long) floats * Float.BYTES)
                .order(ByteOrder.nativeOrder());
    }

    /** This rank's slice of a bucket of the partial sum that the frame announces. */
    ByteBuffer partial(FrameHeader header) {
        int bucket = plan.bucket(header).bucket();
        if (header.offset() < 0 || header.offset() >= partials.size()) {
            throw new ExchangeException("corrupt frame: gradient " + header.offset() + " of " + partials.size());
        }
        return partials.get(header.offset()).get(bucket);
    }

    /** The whole sum of every bucket, to read and write; empty unless the peer is rank 0, whose sum may be that of all. */
    List<ByteBuffer> sums() {
        return sums;
    }

    ByteBuffer reduced(int bucket, int chunk) {
        Slices slices = plan.buckets().get(bucket);
        return FloatSums.view(finished.get(bucket), chunk * slices.chunkFloats(), slices.chunkLength(peer, chunk));
    }
}
