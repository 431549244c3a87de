package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.ExchangeConfig;
import io.rasterflow.actors.exchange.FrameHeader;
import io.rasterflow.actors.exchange.FrameType;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** A second, plain-socket implementation of the protocol, that can also misbehave. */
final class WirePeer implements AutoCloseable {

    static final DataAddress ADDRESS = new DataAddress("wire", "127.0.0.1", 9, 0);
    static final int CHUNK_FLOATS = 16;
    /** A hello but for the process id. */
    static final int HELLO_BYTES = 76;

    private final Socket socket;
    private final DataInputStream in;
    private final long generation;

    WirePeer(DataAddress acceptor, long generation) throws IOException {
        this(new Socket(acceptor.host(), acceptor.port()), generation);
    }

    private WirePeer(Socket socket, long generation) throws IOException {
        this.socket = socket;
        this.socket.setSoTimeout(20_000);
        this.socket.setTcpNoDelay(true);
        this.in = new DataInputStream(socket.getInputStream());
        this.generation = generation;
    }

    /** Rank 0 introduces itself to rank 1 of a world of two. */
    void handshake(String secret, int microBatches, int floats) throws Exception {
        handshake(secret, microBatches, floats, ExchangeConfig.Transport.TCP);
    }

    void handshake(String secret, int microBatches, int floats, ExchangeConfig.Transport transport) throws Exception {
        byte[] hello = ByteBuffer.allocate(HELLO_BYTES + 4)
                .put(new byte[32])
                .putLong(generation)
                .putInt(0)
                .putInt(1)
                .putInt(2)
                .putInt(microBatches)
                .putLong(floats)
                .putInt(List.of(floats).hashCode())
                .putInt(CHUNK_FLOATS)
                .putInt(transport.ordinal())
                .put("wire".getBytes(StandardCharsets.UTF_8))
                .array();
        send(frame(FrameType.HELLO, generation, 0, 0, 0, hello));
        byte[] nonce = receive(FrameType.CHALLENGE);
        send(frame(FrameType.PROOF, generation, 0, 0, 0, hmac(secret, "HELLO connector", hello, nonce)));
        byte[] proof = receive(FrameType.WELCOME);
        assertEquals(ByteBuffer.wrap(hmac(secret, "HELLO acceptor", hello, nonce)), ByteBuffer.wrap(proof));
    }

    /** A process that is visited, after the handshake. */
    static WirePeer visited(ServerSocket server, String secret, FrameType type) throws Exception {
        WirePeer peer = new WirePeer(server.accept(), 0);
        byte[] visit = peer.receive(type);
        byte[] nonce = new byte[32];
        peer.send(frame(FrameType.CHALLENGE, 0, 0, 0, 0, nonce));
        byte[] proof = peer.receive(FrameType.PROOF);
        assertEquals(ByteBuffer.wrap(hmac(secret, type + " connector", visit, nonce)), ByteBuffer.wrap(proof));
        peer.send(frame(FrameType.WELCOME, 0, 0, 0, 0, hmac(secret, type + " acceptor", visit, nonce)));
        return peer;
    }

    static byte[] hmac(String secret, String role, byte[] hello, byte[] nonce) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        mac.update(role.getBytes(StandardCharsets.UTF_8));
        mac.update(hello);
        return mac.doFinal(nonce);
    }

    static byte[] frame(FrameType type, long generation, long step, int index, int offset, byte[] payload) {
        return frame(new FrameHeader(type, 0, generation, step, index, 0, offset, payload.length), payload);
    }

    static byte[] frame(FrameHeader header, byte[] payload) {
        ByteBuf head = header.encode(ByteBuffer.wrap(payload), UnpooledByteBufAllocator.DEFAULT);
        byte[] bytes = new byte[FrameHeader.BYTES + payload.length];
        head.readBytes(bytes, 0, FrameHeader.BYTES);
        head.release();
        System.arraycopy(payload, 0, bytes, FrameHeader.BYTES, payload.length);
        return bytes;
    }

    static byte[] floats(float[] values, int from, int to) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * (to - from)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values, from, to - from);
        return bytes.array();
    }

    static byte[] scalars(double lossSum, long patches, int images, double squaredNorm) {
        return ByteBuffer.allocate(32)
                .putInt(0)
                .putDouble(lossSum)
                .putLong(patches)
                .putInt(images)
                .putDouble(squaredNorm)
                .array();
    }

    void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    /** A frame as it came. */
    record Frame(FrameHeader header, byte[] payload) {}

    /** The next frame, whatever it is. */
    Frame receive() throws IOException {
        byte[] head = new byte[FrameHeader.BYTES];
        in.readFully(head);
        FrameHeader header = FrameHeader.decode(head, 1 << 20);
        byte[] payload = new byte[header.length()];
        in.readFully(payload);
        return new Frame(header, payload);
    }

    /** The payload of the next frame, which must be of this type. */
    byte[] receive(FrameType type) throws IOException {
        Frame frame = receive();
        assertEquals(type, frame.header().type(), () -> new String(frame.payload(), StandardCharsets.UTF_8));
        return frame.payload();
    }

    /** Whether the other side has closed the connection, after whatever it still sent. */
    boolean closedByPeer() throws IOException {
        try {
            in.skipNBytes(Long.MAX_VALUE);
            return false;
        } catch (java.io.EOFException | java.net.SocketException e) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
