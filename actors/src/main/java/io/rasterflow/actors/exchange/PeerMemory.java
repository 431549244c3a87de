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
 * A peer's {@link SharedSegment} as another rank has it: to read its own slice of the peer's partial sums, and the peer's
 * finished slices. That of rank 0 also to write, for its own slice's sum may belong there.
 */
final class PeerMemory {

    private final ReductionPlan plan;
    private final int peer;
    private final int rank;
    private final List<List<ByteBuffer>> gradients = new ArrayList<>();

    /**
     * Maps the file for {@code rank}.
     *
     * @throws IOException one line, if the file is not the peer's or cannot be mapped
     */
    PeerMemory(Path file, byte[] token, ReductionPlan plan, int peer, int rank) throws IOException {
        this.plan = plan;
        this.peer = peer;
        this.rank = rank;
        SegmentLayout layout = new SegmentLayout(plan, peer);
        if (!SharedMemory.isSegment(file) || !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException("there is no file " + file + " here");
        }
        boolean writes = peer == 0;
        Set<OpenOption> access =
                writes ? Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE) : Set.of(StandardOpenOption.READ);
        FileChannel.MapMode mode = writes ? FileChannel.MapMode.READ_WRITE : FileChannel.MapMode.READ_ONLY;
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
                    long start = layout.gradientStart(gradient, slices.bucket());
                    buckets.add(channel.map(mode, start, (long) slices.floats() * Float.BYTES)
                            .order(ByteOrder.nativeOrder()));
                }
                gradients.add(buckets);
            }
        }
    }

    /**
     * A bucket of one of the peer's gradients.
     *
     * @throws ExchangeException if there is none of that number
     */
    ByteBuffer gradient(int number, int bucket) {
        if (number < 0 || number >= gradients.size()) {
            throw new ExchangeException("corrupt frame: gradient " + number + " of " + gradients.size());
        }
        return gradients.get(number).get(bucket);
    }

    /** This rank's slice of a bucket of the partial sum that the frame announces. */
    ByteBuffer partial(FrameHeader header) {
        Slices slices = plan.bucket(header);
        return FloatSums.view(gradient(header.offset(), slices.bucket()), slices.start(rank), slices.length(rank));
    }

    /** A finished chunk of the peer's slice of a bucket, in the gradient that the frame names. */
    ByteBuffer reduced(FrameHeader header, int chunk) {
        Slices slices = plan.bucket(header);
        return FloatSums.view(
                gradient(header.index(), slices.bucket()),
                slices.chunkStart(peer, chunk),
                slices.chunkLength(peer, chunk));
    }
}
