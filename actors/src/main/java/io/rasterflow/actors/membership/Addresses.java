package io.rasterflow.actors.membership;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.rasterflow.actors.exchange.DataAddress;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;

/**
 * Data-plane addresses as they travel in control messages: short, for there may be thousands, and packed once however many
 * messages carry them. Runs of one process name it once; integers are big-endian, texts as {@link DataOutputStream#writeUTF}
 * has them; the whole is deflated.
 *
 * <pre>
 *   +-----------+     +-----------+------+------+----------+---------+-----+
 *   | addresses |  (  | processId | host | port | replicas | replica | ... |  )  for each run
 *   | int       |     | text      | text | u16  | u16      | u16     |     |
 *   +-----------+     +-----------+------+------+----------+---------+-----+
 * </pre>
 */
public final class Addresses {

    /** More than any world has. With the length of the texts it bounds what a few bytes inflate to, to about 20 MB. */
    private static final int MOST = 0xFFFF;

    private static final int MOST_OF_ONE_RUN = 0xFFFF;

    /** In characters; the id of a process is shorter. */
    private static final int LONGEST_ID = 64;

    /** In characters; what the DNS allows. */
    private static final int LONGEST_HOST = 255;

    private final List<DataAddress> list;
    private byte[] packed;

    private Addresses(List<DataAddress> list, byte[] packed) {
        this.list = list;
        this.packed = packed;
    }

    /** Packed when they first leave the JVM. */
    static Addresses of(List<DataAddress> list) {
        return new Addresses(List.copyOf(list), null);
    }

    /** @throws IllegalArgumentException one line, if the bytes are not what {@link #packed} makes */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static Addresses unpack(byte[] bytes) {
        try (DataInputStream in = new DataInputStream(new InflaterInputStream(new ByteArrayInputStream(bytes)))) {
            int count = in.readInt();
            if (count < 0 || count > MOST) {
                throw new IOException(count + " of them, at most " + MOST + " are allowed");
            }
            List<DataAddress> list = new ArrayList<>();
            while (list.size() < count) {
                String processId = text(in, LONGEST_ID);
                String host = text(in, LONGEST_HOST);
                int port = in.readUnsignedShort();
                int replicas = in.readUnsignedShort();
                if (replicas == 0 || replicas > count - list.size()) {
                    throw new IOException("a run of " + replicas + " after " + list.size() + " of " + count);
                }
                for (int i = 0; i < replicas; i++) {
                    list.add(new DataAddress(processId, host, port, in.readUnsignedShort()));
                }
            }
            return new Addresses(List.copyOf(list), bytes);
        } catch (IOException e) {
            throw new IllegalArgumentException("addresses of ranks cannot be read: " + e.getMessage(), e);
        }
    }

    private static String text(DataInputStream in, int longest) throws IOException {
        String text = in.readUTF();
        if (text.length() > longest) {
            throw new IOException("a text of " + text.length() + " characters, at most " + longest + " are allowed");
        }
        return text;
    }

    @JsonValue
    synchronized byte[] packed() {
        if (packed == null) {
            packed = pack();
        }
        return packed;
    }

    private byte[] pack() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(new DeflaterOutputStream(bytes))) {
            out.writeInt(list.size());
            for (int from = 0; from < list.size(); ) {
                int end = endOfRun(from);
                DataAddress first = list.get(from);
                out.writeUTF(first.processId());
                out.writeUTF(first.host());
                out.writeShort(first.port());
                out.writeShort(end - from);
                for (DataAddress address : list.subList(from, end)) {
                    out.writeShort(address.replica());
                }
                from = end;
            }
        } catch (IOException e) {
            throw new IllegalStateException("addresses of ranks cannot be packed: " + e.getMessage(), e);
        }
        return bytes.toByteArray();
    }

    private int endOfRun(int from) {
        DataAddress first = list.get(from);
        int end = from + 1;
        while (end < list.size() && end - from < MOST_OF_ONE_RUN && sameProcess(first, list.get(end))) {
            end++;
        }
        return end;
    }

    private static boolean sameProcess(DataAddress one, DataAddress other) {
        return one.processId().equals(other.processId())
                && one.host().equals(other.host())
                && one.port() == other.port();
    }

    List<DataAddress> list() {
        return list;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Addresses addresses && addresses.list.equals(list);
    }

    @Override
    public int hashCode() {
        return list.hashCode();
    }

    @Override
    public String toString() {
        return list.toString();
    }
}
