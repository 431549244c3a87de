package io.rasterflow.actors.exchange;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Cuts the byte stream into frames ({@link FrameHeader}). Payload bytes are read straight to where the sink wants them
 * ({@link FrameReads}): nothing is gathered, so memory does not depend on what a peer sends.
 *
 * <pre>
 *   BEFORE                                             AFTER
 *   +--------+------------+--------+------------+      target(header) -> buffer, frame(header, buffer)
 *   | header | payload    | header | payload    | -->  target(header) -> buffer, frame(header, buffer)
 *   +--------+------------+--------+------------+      one call of frame for each whole, correct frame
 * </pre>
 *
 * <p>Bad magic, version, type, length or checksum, and whatever the sink rejects, close the connection.
 */
public final class FrameDecoder extends ChannelInboundHandlerAdapter {

    private final FrameReads reads = new FrameReads(this);
    private final byte[] headerBytes = new byte[FrameHeader.BYTES];
    private FrameSink sink;
    private int maxFrameBytes;

    private int headerFill;
    private FrameHeader header;
    private ByteBuffer payload;
    private int missing;
    private CRC32C checksum;
    private boolean dead;

    public FrameDecoder(FrameSink sink, int maxFrameBytes) {
        this.sink = sink;
        this.maxFrameBytes = maxFrameBytes;
    }

    /** From the next frame on, another sink with another limit; on the event loop. */
    void become(FrameSink next, int nextMaxFrameBytes) {
        sink = next;
        maxFrameBytes = nextMaxFrameBytes;
    }

    /** Where the rest of the payload goes; null outside of one, or if it is dropped. */
    ByteBuffer place() {
        return header == null || payload == null ? null : payload.slice();
    }

    /** Bytes up to the end of the header or payload. */
    int wanted() {
        return header == null ? FrameHeader.BYTES - headerFill : missing;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        context.channel().config().setRecvByteBufAllocator(reads);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        sink.heard();
        try {
            while (!dead && in.isReadable()) {
                if (header == null) {
                    readHeader(in);
                } else {
                    readPayload(in);
                }
            }
        } catch (ExchangeException e) {
            dead = true;
            sink.rejected(e.getMessage());
            Frames.close(context.channel());
        } finally {
            ReferenceCountUtil.release(in);
        }
    }

    private void readHeader(ByteBuf in) {
        int length = Math.min(in.readableBytes(), FrameHeader.BYTES - headerFill);
        in.readBytes(headerBytes, headerFill, length);
        headerFill += length;
        if (headerFill < FrameHeader.BYTES) {
            return;
        }
        header = FrameHeader.decode(headerBytes, maxFrameBytes);
        payload = sink.target(header);
        missing = header.length();
        checksum = FrameHeader.startChecksum(headerBytes);
        if (missing == 0) {
            finish();
        }
    }

    private void readPayload(ByteBuf in) {
        int length = Math.min(in.readableBytes(), missing);
        ByteBuffer bytes = in.nioBuffer(in.readerIndex(), length);
        if (reads.isPlace(in)) {
            payload.position(payload.position() + length);
        } else if (payload != null) {
            payload.put(bytes.duplicate());
        }
        checksum.update(bytes);
        in.skipBytes(length);
        missing -= length;
        if (missing == 0) {
            finish();
        }
    }

    private void finish() {
        FrameHeader whole = header;
        ByteBuffer content = payload;
        header = null;
        payload = null;
        headerFill = 0;
        if ((int) checksum.getValue() != FrameHeader.checksum(headerBytes)) {
            throw new ExchangeException(String.format(
                    "corrupt frame: checksum of %s of step %d is %08x, the header says %08x",
                    whole.type(), whole.step(), (int) checksum.getValue(), FrameHeader.checksum(headerBytes)));
        }
        if (content != null) {
            sink.frame(whole, content.flip());
        }
    }

    private void die(ChannelHandlerContext context, String cause) {
        dead = true;
        sink.closed(cause);
        Frames.close(context.channel());
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        sink.closed("connection closed by peer");
        context.fireChannelInactive();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (context.channel().isWritable()) {
            sink.writable();
        }
        context.fireChannelWritabilityChanged();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        die(context, cause.getMessage() == null ? cause.toString() : cause.getMessage());
    }
}
