package io.rasterflow.actors.exchange;

import io.netty.channel.Channel;
import java.nio.ByteBuffer;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Keeps a connection alive and notices when the other side does not: a side that has sent nothing for a while sends a
 * ping, one that has heard nothing for longer gives the connection up. It lives on the event loop, so a process whose
 * threads compute still answers, and one that is stopped does not. On the event loop.
 *
 * <p>Silence is counted in beats, not by the clock: after this process itself was stopped, one beat finds whatever has
 * arrived meanwhile, and nobody is lost.
 */
final class Heartbeat {

    private final Channel channel;
    private final FrameHeader ping;
    private final int pingMillis;
    private final int silentBeats;
    private final Consumer<String> lost;
    private ScheduledFuture<?> beat;
    private boolean sent;
    private int silence;

    /**
     * @param rank and {@code generation}: what pings carry
     * @param lost is told once why the connection is given up
     */
    Heartbeat(Channel channel, int rank, long generation, ExchangeConfig config, Consumer<String> lost) {
        this.channel = channel;
        this.ping = new FrameHeader(FrameType.PING, rank, generation, 0, 0, 0, 0, 0);
        this.pingMillis = config.pingMillis();
        this.silentBeats = (config.silenceMillis() + config.pingMillis() - 1) / config.pingMillis();
        this.lost = lost;
    }

    void start() {
        beat = channel.eventLoop().scheduleWithFixedDelay(this::beat, pingMillis, pingMillis, TimeUnit.MILLISECONDS);
    }

    void stop() {
        if (beat != null) {
            beat.cancel(false);
        }
    }

    /** Something was sent. */
    void sent() {
        sent = true;
    }

    /** Something has come. */
    void heard() {
        silence = 0;
    }

    private void beat() {
        if (++silence > silentBeats) {
            stop();
            lost.accept("silent for " + (long) silentBeats * pingMillis + " ms");
            return;
        }
        if (!sent && channel.isWritable()) {
            Frames.write(channel, ping, ByteBuffer.allocate(0));
            channel.flush();
        }
        sent = false;
    }
}
