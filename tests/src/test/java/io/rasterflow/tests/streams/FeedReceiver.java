package io.rasterflow.tests.streams;

import com.typesafe.config.ConfigFactory;
import io.rasterflow.streams.feed.FeedConfig;
import io.rasterflow.streams.feed.FeedLayout;
import io.rasterflow.streams.feed.FeedServer;
import io.rasterflow.streams.feed.FeedServerConfig;
import io.rasterflow.streams.feed.FeedToken;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Receivers on free ports, with an actor system that the tests of a class share. */
final class FeedReceiver implements AutoCloseable {

    static final int MAX_IMAGE_BYTES = 40_000;

    private final ActorSystem<Void> system = ActorSystem.create(
            Behaviors.empty(),
            "feed",
            ConfigFactory.parseString("pekko.actor.provider = local, pekko.loglevel = OFF, pekko.stdout-loglevel = OFF")
                    .withFallback(ConfigFactory.load()));

    static FeedConfig buffer(Path directory, int shardSamples) {
        return new FeedConfig(
                directory,
                Optional.of(new FeedLayout(shardSamples, MAX_IMAGE_BYTES)),
                1L << 30,
                0,
                FeedConfig.Durability.DISK);
    }

    FeedServer start(FeedConfig buffer) throws IOException {
        return FeedServer.start(system, buffer, server(Optional.empty()));
    }

    FeedServer start(FeedConfig buffer, FeedToken token) throws IOException {
        return FeedServer.start(system, buffer, server(Optional.of(token)));
    }

    FeedServer start(FeedConfig buffer, FeedServerConfig config) throws IOException {
        return FeedServer.start(system, buffer, config);
    }

    private static FeedServerConfig server(Optional<FeedToken> token) {
        return new FeedServerConfig("127.0.0.1", 0, token, false, 4 << 20);
    }

    @Override
    public void close() {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
    }
}
