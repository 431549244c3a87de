package io.rasterflow.streams.feed;

import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageHeader;
import java.nio.charset.StandardCharsets;

/**
 * An image that wants to enter the buffer.
 *
 * @param id by which a repetition is known; empty if it may be repeated
 * @param key name, empty to be named by its number
 * @param label class, -1 if it has none
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
record Arrival(String id, String key, int label, String caption, byte[] image) {

    static final int NO_LABEL = -1;
    static final int MAX_ID_BYTES = 512;
    static final int MAX_KEY_BYTES = 512;
    static final int MAX_CAPTION_BYTES = 1 << 16;

    /** A repetition is known by its key when it has no identifier of its own. */
    Arrival {
        id = id.isEmpty() ? key : id;
    }

    /** @throws Refusal unless it is an image and within the limits */
    Arrival checked(int maxImageBytes) throws Refusal {
        requireLength("key", key, MAX_KEY_BYTES);
        requireLength("Idempotency-Key", id, MAX_ID_BYTES);
        requireLength("caption", caption, MAX_CAPTION_BYTES);
        if (image.length > maxImageBytes) {
            throw new Refusal(
                    Refusal.Kind.TOO_LARGE,
                    "the image has " + image.length + " bytes but at most " + maxImageBytes + " are taken");
        }
        try {
            ImageHeader.read(image);
        } catch (DecodeException e) {
            throw new Refusal(Refusal.Kind.INVALID, "not taken: " + e.getMessage());
        }
        return this;
    }

    /** The label that a text names. */
    static int label(String text) throws Refusal {
        String number = text.strip();
        try {
            int label = Integer.parseInt(number);
            if (label >= 0) {
                return label;
            }
        } catch (NumberFormatException e) {
            // Told below, together with negative numbers.
        }
        throw new Refusal(Refusal.Kind.INVALID, "the label '" + printable(number) + "' is no class number");
    }

    /** At most 64 harmless characters of what a stranger sent, for messages. */
    static String printable(String text) {
        String start = text.length() > 64 ? text.substring(0, 64) + "..." : text;
        return start.replaceAll("[^\\x20-\\x7e]", "?");
    }

    private static void requireLength(String what, String text, int maxBytes) throws Refusal {
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > maxBytes) {
            throw new Refusal(
                    Refusal.Kind.INVALID,
                    "the " + what + " has " + bytes + " bytes but at most " + maxBytes + " are taken");
        }
    }
}
