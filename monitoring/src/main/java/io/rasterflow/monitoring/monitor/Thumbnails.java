package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Small pictures of quarantined samples, by names under which the page asks for them: the last ones. */
public final class Thumbnails {

    private static final int CAPACITY = 100;
    private static final int MAX_BYTES = 1 << 16;
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

    private final Map<String, byte[]> pngs = new LinkedHashMap<>();

    /** Takes a picture, unless it is none. */
    public void add(Event.Thumbnail thumbnail) {
        decoded(thumbnail.png()).ifPresent(png -> {
            pngs.put(name(thumbnail.shard(), thumbnail.key()), png);
            if (pngs.size() > CAPACITY) {
                pngs.remove(pngs.keySet().iterator().next());
            }
        });
    }

    private static Optional<byte[]> decoded(String base64) {
        if (base64 == null || base64.length() > MAX_BYTES) {
            return Optional.empty();
        }
        try {
            byte[] bytes = Base64.getDecoder().decode(base64);
            boolean png = bytes.length > SIGNATURE.length
                    && Arrays.equals(bytes, 0, SIGNATURE.length, SIGNATURE, 0, SIGNATURE.length);
            return png ? Optional.of(bytes) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Letters and digits that stand for a sample. */
    public static String name(String shard, String key) {
        return UUID.nameUUIDFromBytes((shard + "\0" + key).getBytes(StandardCharsets.UTF_8))
                .toString();
    }

    /** The picture of a sample as a PNG, if there is one. */
    public Optional<byte[]> png(String name) {
        return Optional.ofNullable(pngs.get(name));
    }

    /** Those of the samples, by their order; empty text for a sample that has none. */
    List<String> names(List<Event.BadSample> samples) {
        return samples.stream()
                .map(sample -> name(sample.shard(), sample.key()))
                .map(name -> pngs.containsKey(name) ? name : "")
                .toList();
    }
}
