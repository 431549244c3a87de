package io.rasterflow.actors.exchange;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/** What a rank reads of a peer's {@link SharedSegment}: its own slice of the peer's partial sums, and the peer's finished slices. */
final class PeerMemory {

    private final ReductionPlan plan;
    private final int peer;
    private final List<List<ByteBuffer>> partials = new ArrayList<>();
    private final List<ByteBuffer> finished = new ArrayList<>();

    /**
     * Maps the parts of the file that concern {@code rank}, read-only.
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
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
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
                long start = layout.sumStart(slices.bucket()) + (long) slices.start(peer) * Float.BYTES;
                finished.add(map(channel, start, slices.length(peer)));
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

    /** The chunk of the peer's slice of a bucket that the frame announces. */
    int chunk(FrameHeader header) {
        Slices slices = plan.bucket(header);
        int chunk = header.offset() / slices.chunkFloats();
        if (header.offset() < 0 || header.offset() % slices.chunkFloats() != 0 || chunk >= slices.chunks(peer)) {
            throw new ExchangeException(
                    "corrupt frame: no chunk of slice " + peer + " begins at float " + header.offset());
        }
        return chunk;
    }

    ByteBuffer reduced(int bucket, int chunk) {
        Slices slices = plan.buckets().get(bucket);
        return FloatSums.view(finished.get(bucket), chunk * slices.chunkFloats(), slices.chunkLength(peer, chunk));
    }
}
