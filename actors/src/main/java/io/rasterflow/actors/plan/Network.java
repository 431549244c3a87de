package io.rasterflow.actors.plan;

import java.util.stream.Stream;

/**
 * How messages get from rank to rank. Every part of the way serves one message after another:
 *
 * <pre>
 *   other host   sender's thread → card out → latency → card in → memory → receiver's thread
 *   same host    sender's thread →                                memory → receiver's thread
 * </pre>
 *
 * <p>A part begins as soon as the one before has begun (plus the latency, or the first frame of a thread) and ends no
 * earlier than it has ended: bytes flow through, a message is not stored at every part.
 */
final class Network {

    private final Cluster cluster;
    private final EventQueue queue;
    private final Lane[] senders;
    private final Lane[] receivers;
    private final Lane[] out;
    private final Lane[] in;
    private final Lane[] memory;
    private double bytes;
    private double cardBytes;

    Network(Cluster cluster, EventQueue queue) {
        this.cluster = cluster;
        this.queue = queue;
        this.senders = lanes(cluster.ranks());
        this.receivers = lanes(cluster.ranks());
        this.out = lanes(cluster.hosts());
        this.in = lanes(cluster.hosts());
        this.memory = lanes(cluster.hosts());
    }

    private static Lane[] lanes(int count) {
        return Stream.generate(Lane::new).limit(count).toArray(Lane[]::new);
    }

    EventQueue queue() {
        return queue;
    }

    Cluster cluster() {
        return cluster;
    }

    /** Bytes that all ranks have sent. */
    double bytes() {
        return bytes;
    }

    /** Those of them that left a host. */
    double cardBytes() {
        return cardBytes;
    }

    /** Sends one message now; {@code delivered} runs when the receiver has all of it. */
    void send(int from, int to, double length, Runnable delivered) {
        count(length, cluster.host(from) == cluster.host(to) ? 0 : length);
        new Message(from, to, length, delivered).leave();
    }

    void count(double sent, double leftHost) {
        bytes += sent;
        cardBytes += leftHost;
    }

    Lane sender(int rank) {
        return senders[rank];
    }

    Lane out(int host) {
        return out[host];
    }

    Lane in(int host) {
        return in[host];
    }

    Lane memory(int host) {
        return memory[host];
    }

    private final class Message {
        private final int from;
        private final int to;
        private final double length;
        private final Runnable delivered;
        private final double threadSeconds;
        private final double firstFrame;
        private double end;

        Message(int from, int to, double length, Runnable delivered) {
            this.from = from;
            this.to = to;
            this.length = length;
            this.delivered = delivered;
            this.threadSeconds = cluster.threadSeconds(length);
            this.firstFrame = threadSeconds / Cluster.frames(length);
        }

        void leave() {
            double start = senders[from].reserve(queue.now(), threadSeconds);
            end = start + threadSeconds;
            boolean stays = cluster.host(from) == cluster.host(to);
            queue.at(start + firstFrame, stays ? this::reach : this::depart);
        }

        private void depart() {
            double seconds = length / cluster.link().nicBytesPerSecond();
            double start = out[cluster.host(from)].reserve(queue.now(), seconds);
            end = Math.max(end, start + seconds) + cluster.link().latencySeconds();
            queue.at(start + cluster.link().latencySeconds(), this::arrive);
        }

        private void arrive() {
            double seconds = length / cluster.link().nicBytesPerSecond();
            double start = in[cluster.host(to)].reserve(queue.now(), seconds);
            end = Math.max(end, start + seconds);
            queue.at(start, this::reach);
        }

        private void reach() {
            double seconds = length / cluster.link().memoryBytesPerSecond();
            double start = memory[cluster.host(to)].reserve(queue.now(), seconds);
            end = Math.max(end, start + seconds);
            queue.at(start, this::take);
        }

        private void take() {
            double start = receivers[to].reserve(queue.now(), threadSeconds);
            end = Math.max(end + firstFrame, start + threadSeconds);
            queue.at(end, delivered);
        }
    }
}
