package io.rasterflow.streams.feed;

import java.util.HashMap;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * By which identifiers images arrived of late: those of the shard that is being filled and of the one before it, so that an
 * identifier is known for at least as many further images as a shard has.
 */
final class RecentArrivals {

    /**
     * An image that was taken.
     *
     * @param length bytes of the image
     * @param crc CRC-32C of the image
     */
    private record Taken(long sequence, int length, int crc) {}

    private Map<String, Taken> filling = new HashMap<>();
    private Map<String, Taken> before = new HashMap<>();

    /**
     * Under which number an image was taken, or -1 if it is new.
     *
     * @throws Refusal if its identifier stands for another image
     */
    long find(Arrival arrival) throws Refusal {
        if (arrival.id().isEmpty()) {
            return -1;
        }
        Taken taken = filling.getOrDefault(arrival.id(), before.get(arrival.id()));
        if (taken == null) {
            return -1;
        }
        if (taken.length != arrival.image().length || taken.crc != crc(arrival.image())) {
            throw new Refusal(
                    Refusal.Kind.CONFLICT,
                    "'" + Arrival.printable(arrival.id()) + "' is the key of another image, sample " + taken.sequence
                            + "; give each image a key of its own");
        }
        return taken.sequence;
    }

    void add(String id, long sequence, byte[] image) {
        if (!id.isEmpty()) {
            filling.put(id, new Taken(sequence, image.length, crc(image)));
        }
    }

    /** A new shard is begun. */
    void roll() {
        before = filling;
        filling = new HashMap<>();
    }

    private static int crc(byte[] image) {
        CRC32C crc = new CRC32C();
        crc.update(image);
        return (int) crc.getValue();
    }
}
