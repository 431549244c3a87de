package io.rasterflow.cli;

import com.typesafe.config.ConfigFactory;
import io.rasterflow.streams.feed.FeedConfig;
import io.rasterflow.streams.feed.FeedConfig.Durability;
import io.rasterflow.streams.feed.FeedLayout;
import io.rasterflow.streams.feed.FeedServer;
import io.rasterflow.streams.feed.FeedServerConfig;
import io.rasterflow.streams.feed.FeedToken;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rasterflow feed}: the receiver of a live feed. */
@Command(
        name = "feed",
        description = "Receives images over HTTP into a bounded buffer on disk that can be trained on, until Ctrl-C.",
        footer = {
            "%nOne image, or a WebDataset tar of many:",
            "  curl --data-binary @cat.jpg -H 'Content-Type: image/jpeg' 'http://127.0.0.1:8090/images?label=3'",
            "  curl --data-binary @cats.tar -H 'Content-Type: application/x-tar' http://127.0.0.1:8090/images",
            "An answer comes when the images are on disk. GET /status tells what the buffer holds. When it is full it"
                    + " deletes what every consumer has passed; until there is such, it answers 503.",
            "The token can also be given in the environment as RASTERFLOW_FEED_TOKEN. It crosses the network as it is: put a"
                    + " TLS proxy before a feed that other hosts reach over networks you do not trust."
        })
final class FeedCommand implements Callable<Integer> {

    private static final String TOKEN_VARIABLE = "RASTERFLOW_FEED_TOKEN";

    @Option(
            names = "--dir",
            required = true,
            paramLabel = "DIR",
            description = "Folder of the buffer; made if missing.")
    private Path directory;

    @Option(
            names = "--host",
            defaultValue = "127.0.0.1",
            description =
                    "Address to listen on; default ${DEFAULT-VALUE}. Others than this machine's own need a token.")
    private String host;

    @Option(names = "--port", defaultValue = "8090", description = "Port, 0 for a free one; default ${DEFAULT-VALUE}.")
    private int port;

    @Option(
            names = "--max-bytes",
            paramLabel = "N",
            defaultValue = "" + FeedConfig.DEFAULT_MAX_BYTES,
            description = "Bound of the buffer on disk; default ${DEFAULT-VALUE}.")
    private long maxBytes;

    @Option(
            names = "--shard-samples",
            paramLabel = "N",
            description =
                    "Images in a shard, which is trained on once it is complete; default 1000. Fixed for a folder.")
    private Integer shardSamples;

    @Option(
            names = "--max-image-bytes",
            paramLabel = "N",
            description = "The largest image that is taken; default 16000000. Fixed for a folder.")
    private Integer maxImageBytes;

    @Option(
            names = "--durability",
            defaultValue = "disk",
            description =
                    "What an image survives once it is answered: ${COMPLETION-CANDIDATES}; default"
                            + " ${DEFAULT-VALUE}. PROCESS does not wait for the disk: a loss of power may lose the last images.")
    private Durability durability;

    @Option(names = "--token-file", paramLabel = "FILE", description = "File with the token that senders must show.")
    private Path tokenFile;

    @Option(names = "--insecure", description = "Takes images from other hosts without a token.")
    private boolean insecure;

    @Override
    public Integer call() throws IOException, InterruptedException {
        FeedConfig buffer = new FeedConfig(
                directory.toAbsolutePath().normalize(),
                layout(),
                maxBytes,
                FeedConfig.DEFAULT_RESERVE_BYTES,
                durability);
        FeedServerConfig config =
                new FeedServerConfig(host, port, token(), insecure, FeedServerConfig.DEFAULT_MEMORY_BYTES);
        ActorSystem<Void> system = ActorSystem.create(
                Behaviors.empty(),
                "feed",
                ConfigFactory.parseString("pekko.actor.provider = local")
                        .withFallback(ConfigFactory.parseResources("rasterflow-pekko.conf"))
                        .withFallback(ConfigFactory.load()));
        try (FeedServer server = FeedServer.start(system, buffer, config)) {
            Thread onInterrupt = new Thread(() -> close(server), "stop-on-interrupt");
            Runtime.getRuntime().addShutdownHook(onInterrupt);
            System.out.println("feed             " + server.address() + "/images");
            System.out.println("buffer           " + buffer.directory());
            System.out.flush();
            try {
                server.ended().toCompletableFuture().get();
            } catch (ExecutionException e) {
                throw new IOException(e.getCause().getMessage(), e);
            } finally {
                TrainCommand.removeHook(onInterrupt);
            }
        } finally {
            system.terminate();
        }
        return 0;
    }

    private Optional<FeedLayout> layout() throws IOException {
        if (shardSamples == null && maxImageBytes == null) {
            return Optional.empty();
        }
        FeedLayout usual = FeedLayout.of(directory);
        return Optional.of(new FeedLayout(
                shardSamples == null ? usual.shardSamples() : shardSamples,
                maxImageBytes == null ? usual.maxImageBytes() : maxImageBytes));
    }

    private Optional<FeedToken> token() throws IOException {
        if (tokenFile != null) {
            return Optional.of(FeedToken.read(tokenFile));
        }
        String variable = System.getenv(TOKEN_VARIABLE);
        return variable == null || variable.isBlank()
                ? Optional.empty()
                : Optional.of(FeedToken.of(variable.strip(), TOKEN_VARIABLE));
    }

    private static void close(FeedServer server) {
        try {
            server.close();
        } catch (IOException e) {
            System.err.println("rasterflow: " + e.getMessage());
        }
    }
}
