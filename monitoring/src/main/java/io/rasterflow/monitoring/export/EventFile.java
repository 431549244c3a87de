package io.rasterflow.monitoring.export;

import io.rasterflow.monitoring.event.Histogram;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.zip.CRC32C;

/**
 * A TensorBoard event file: records of TensorFlow's Event message (tensorflow/core/util/event.proto), little-endian.
 *
 * <pre>
 *   length u64 | masked CRC-32C of the length u32 | message | masked CRC-32C of the message u32
 *
 *   Event       1 wall_time double   2 step int64   3 file_version string   5 summary Summary   7 session_log SessionLog
 *   Summary     1 value Value, repeated
 *   Value       1 tag string         2 simple_value float    4 image Image      5 histo HistogramProto
 *   Image       1 height int32       2 width int32           3 colorspace int32: 4 is RGBA   4 encoded_image_string bytes
 *   HistogramProto
 *               1 min double         2 max double            3 num double       4 sum double    5 sum_squares double
 *               6 bucket_limit double, packed                7 bucket double, packed
 *   SessionLog  1 status: 1 is START
 * </pre>
 */
final class EventFile implements AutoCloseable {

    private static final String VERSION = "brain.Event:2";
    private static final int MASK = 0xa282ead8;
    private static final int START = 1;
    private static final int RGBA = 4;

    /** How the fields of a protocol-buffers message are written. */
    private static final int VARINT = 0;

    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    private final OutputStream out;

    /** @param wallSeconds time of the first event, since 1970 */
    EventFile(Path file, double wallSeconds) throws IOException {
        out = new BufferedOutputStream(Files.newOutputStream(file));
        Message version = new Message();
        version.fixed64(1, wallSeconds);
        version.bytes(3, VERSION.getBytes(StandardCharsets.UTF_8));
        record(version.toByteArray());
    }

    /** Values at a step, by tag. */
    void scalars(double wallSeconds, long step, Map<String, Double> values) throws IOException {
        summary(wallSeconds, step, values, (scalar, value) -> value.fixed32(2, scalar.floatValue()));
    }

    /**
     * Pictures at a step, by tag.
     *
     * @param side of each, in pixels
     * @param values PNG files
     */
    void images(double wallSeconds, long step, int side, Map<String, byte[]> values) throws IOException {
        summary(wallSeconds, step, values, (png, value) -> {
            Message image = new Message();
            image.varint(1, side);
            image.varint(2, side);
            image.varint(3, RGBA);
            image.bytes(4, png);
            value.bytes(4, image.toByteArray());
        });
    }

    /** Distributions at a step, by tag. */
    void histograms(double wallSeconds, long step, Map<String, Histogram> values) throws IOException {
        summary(wallSeconds, step, values, (histogram, value) -> {
            Message content = new Message();
            content.fixed64(1, histogram.min());
            content.fixed64(2, histogram.max());
            content.fixed64(3, histogram.count());
            content.fixed64(4, histogram.sum());
            content.fixed64(5, histogram.sumSquares());
            content.packed(6, histogram.limits());
            content.packed(7, histogram.counts());
            value.bytes(5, content.toByteArray());
        });
    }

    private <T> void summary(double wallSeconds, long step, Map<String, T> values, BiConsumer<T, Message> write)
            throws IOException {
        Message summary = new Message();
        values.forEach((tag, content) -> {
            Message value = new Message();
            value.bytes(1, tag.getBytes(StandardCharsets.UTF_8));
            write.accept(content, value);
            summary.bytes(1, value.toByteArray());
        });
        event(wallSeconds, step, 5, summary);
    }

    /** What was written for this step and those after it is done again: readers forget it. */
    void restarted(double wallSeconds, long step) throws IOException {
        Message session = new Message();
        session.varint(1, START);
        event(wallSeconds, step, 7, session);
    }

    private void event(double wallSeconds, long step, int field, Message content) throws IOException {
        Message event = new Message();
        event.fixed64(1, wallSeconds);
        event.varint(2, step);
        event.bytes(field, content.toByteArray());
        record(event.toByteArray());
    }

    private void record(byte[] message) throws IOException {
        byte[] length = little(Long.BYTES).putLong(message.length).array();
        out.write(length);
        out.write(little(Integer.BYTES).putInt(masked(length)).array());
        out.write(message);
        out.write(little(Integer.BYTES).putInt(masked(message)).array());
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** TensorFlow's masking: a checksum of data that holds checksums would be weak. */
    private static int masked(byte[] bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes);
        return Integer.rotateRight((int) checksum.getValue(), 15) + MASK;
    }

    void flush() throws IOException {
        out.flush();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }

    /** One message under way. */
    private static final class Message {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        private void key(int field, int wire) {
            number((long) field << 3 | wire);
        }

        /** Seven bits a byte, the lowest first; the top bit says that more follow. */
        private void number(long value) {
            long rest = value;
            while ((rest & ~0x7fL) != 0) {
                bytes.write((int) (rest & 0x7f | 0x80));
                rest >>>= 7;
            }
            bytes.write((int) rest);
        }

        void varint(int field, long value) {
            key(field, VARINT);
            number(value);
        }

        void fixed64(int field, double value) {
            key(field, FIXED64);
            bytes.writeBytes(little(Double.BYTES).putDouble(value).array());
        }

        void fixed32(int field, float value) {
            key(field, FIXED32);
            bytes.writeBytes(little(Float.BYTES).putFloat(value).array());
        }

        /** Doubles side by side. */
        void packed(int field, List<? extends Number> values) {
            ByteBuffer all = little(values.size() * Double.BYTES);
            values.forEach(value -> all.putDouble(value.doubleValue()));
            bytes(field, all.array());
        }

        void bytes(int field, byte[] value) {
            key(field, BYTES);
            number(value.length);
            bytes.writeBytes(value);
        }

        byte[] toByteArray() {
            return bytes.toByteArray();
        }
    }
}
