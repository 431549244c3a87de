package io.rasterflow.actors.control;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Follows what a connection sends and tells whether it can be a node's: Artery's stream header, then frames. Nothing is kept
 * of it but the headers.
 *
 * <pre>
 *   +--------+--------+     +----------+---------+-----------+
 *   | "AKKA" | stream |  (  | length   | version |    ...    |  )  for each message; the length counts from the version on
 *   | 4      | u8     |     | u32 LE   | u8      |           |
 *   +--------+--------+     +----------+---------+-----------+
 * </pre>
 */
final class NodeFrames {

    private static final byte[] MAGIC = "AKKA".getBytes(StandardCharsets.US_ASCII);
    /** Artery's streams of system messages and of all others; the one for large messages is not used. */
    private static final int STREAMS = 2;
    /** Artery's own header of a message. */
    private static final int MIN_FRAME_BYTES = 28;

    private static final int VERSION = 0;
    private static final int SHOWN_BYTES = 12;

    private final long maxFrameBytes;
    private final byte[] header = new byte[MAGIC.length + 1];
    private int headerBytes;
    private boolean greeted;
    private long frameBytes;

    NodeFrames(long maxFrameBytes) {
        this.maxFrameBytes = maxFrameBytes;
    }

    /** Whether the stream header has come, and is a node's. */
    boolean greeted() {
        return greeted;
    }

    /** Whether anything has come. */
    boolean begun() {
        return greeted || headerBytes > 0;
    }

    /**
     * Goes through the readable bytes.
     *
     * @return what is wrong with them; empty if nothing is
     */
    String check(ByteBuf bytes) {
        int at = bytes.readerIndex();
        while (at < bytes.writerIndex()) {
            if (frameBytes > 0) {
                int skipped = (int) Math.min(frameBytes, bytes.writerIndex() - at);
                at += skipped;
                frameBytes -= skipped;
            } else {
                header[headerBytes++] = bytes.getByte(at++);
                String fault = greeted ? frame() : greeting(bytes);
                if (!fault.isEmpty()) {
                    return fault;
                }
            }
        }
        return "";
    }

    private String greeting(ByteBuf bytes) {
        if (headerBytes <= MAGIC.length) {
            return header[headerBytes - 1] == MAGIC[headerBytes - 1] ? "" : "it begins with " + describe(bytes);
        }
        int stream = header[MAGIC.length] & 0xFF;
        headerBytes = 0;
        greeted = stream >= 1 && stream <= STREAMS;
        return greeted ? "" : "it asks for stream " + stream + " of " + STREAMS;
    }

    private String frame() {
        long length =
                (header[0] & 0xFFL) | (header[1] & 0xFFL) << 8 | (header[2] & 0xFFL) << 16 | (header[3] & 0xFFL) << 24;
        if (headerBytes == MAGIC.length && (length < MIN_FRAME_BYTES || length > maxFrameBytes)) {
            return "it claims a message of " + length + " bytes, " + MIN_FRAME_BYTES + " to " + maxFrameBytes
                    + " are allowed";
        }
        if (headerBytes <= MAGIC.length) {
            return "";
        }
        headerBytes = 0;
        frameBytes = length - 1;
        return header[MAGIC.length] == VERSION
                ? ""
                : "it sends messages of version " + (header[MAGIC.length] & 0xFF) + ", this node has " + VERSION
                        + "; use the same version of Rasterflow on all nodes";
    }

    private static String describe(ByteBuf bytes) {
        byte[] shown = new byte[Math.min(SHOWN_BYTES, bytes.readableBytes())];
        bytes.getBytes(bytes.readerIndex(), shown);
        String text = new String(shown, StandardCharsets.ISO_8859_1);
        if (text.matches("(?s)(GET|PUT|POST|HEAD|OPTIONS) .*")) {
            return "an HTTP request; the page has another port (monitor.port)";
        }
        if (text.startsWith("\u0016\u0003")) {
            return "a TLS hello, which this port does not speak";
        }
        return "0x" + HexFormat.of().formatHex(shown) + ", not as a node does";
    }
}
