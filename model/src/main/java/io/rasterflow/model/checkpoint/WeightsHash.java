package io.rasterflow.model.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.SortedMap;

/** Identity of a set of weights: SHA-256 over the values in name order, little-endian float32. */
public final class WeightsHash {
    private static final int CHUNK_FLOATS = 1 << 14;

    private WeightsHash() {}

    /** 64 lower-case hexadecimal digits. */
    public static String sha256(SortedMap<String, Tensor> tensors) {
        MessageDigest digest = digest();
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_FLOATS * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (Tensor tensor : tensors.values()) {
            FloatBuffer values = tensor.values().duplicate().rewind();
            while (values.hasRemaining()) {
                int floats = Math.min(values.remaining(), CHUNK_FLOATS);
                chunk.clear().asFloatBuffer().put(values.slice(values.position(), floats));
                values.position(values.position() + floats);
                digest.update(chunk.limit(floats * Float.BYTES));
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java runtime has SHA-256", e);
        }
    }
}
