package io.rasterflow.monitoring.page;

import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.RunUpdate;
import io.rasterflow.monitoring.monitor.RunUpdate.Cursor;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * The server-sent events of one browser. The browser's demand sets the pace: at most twice a second, and only when the last
 * piece has left, the monitor is asked for what changed since. A slow browser thus gets fewer and larger pieces; nothing is
 * queued for it, and nothing that it does reaches the training.
 *
 * <pre>
 *   event: snapshot   first, and whenever the curves were thinned or rewound: everything
 *   event: update     what changed
 *   : alive           when nothing changed for ten seconds
 * </pre>
 *
 * <p>Data is one JSON object: {@code {"now": milliseconds, "run": RunUpdate, "heirs": [addresses of {@link Succession}]}}.
 */
final class EventStream {

    private static final Duration PACE = Duration.ofMillis(500);
    private static final int QUIET_TICKS = 20;
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final ByteString RETRY = ByteString.fromString("retry: 2000\n\n");
    private static final ByteString ALIVE = ByteString.fromString(": alive\n\n");

    private final ActorSystem<?> system;
    private final ActorRef<MonitorActor.Command> monitor;
    private final Succession succession;
    /** Touched by one piece at a time: the stream asks for the next when the last is done. */
    private Cursor cursor = Cursor.START;

    private int quietTicks;

    private EventStream(ActorSystem<?> system, ActorRef<MonitorActor.Command> monitor, Succession succession) {
        this.system = system;
        this.monitor = monitor;
        this.succession = succession;
    }

    static Source<ByteString, NotUsed> open(
            ActorSystem<?> system, ActorRef<MonitorActor.Command> monitor, Succession succession) {
        EventStream stream = new EventStream(system, monitor, succession);
        return Source.tick(Duration.ZERO, PACE, NotUsed.getInstance())
                .mapAsync(1, tick -> stream.next())
                .filter(frame -> !frame.isEmpty())
                .prepend(Source.single(RETRY))
                .mapMaterializedValue(cancellable -> NotUsed.getInstance());
    }

    private CompletionStage<ByteString> next() {
        return AskPattern.<MonitorActor.Command, RunUpdate>ask(
                        monitor, replyTo -> new MonitorActor.GetUpdate(cursor, replyTo), PATIENCE, system.scheduler())
                // The monitor may be on its way to another node: the page stays, and shows that nothing comes.
                .handle((update, failure) -> failure == null ? frame(update) : ALIVE);
    }

    private ByteString frame(RunUpdate update) {
        if (!update.full() && update.next().changes() == cursor.changes()) {
            quietTicks = (quietTicks + 1) % QUIET_TICKS;
            return quietTicks == 0 ? ALIVE : ByteString.emptyByteString();
        }
        quietTicks = 0;
        cursor = update.next();
        String json = PageJson.write(
                new Piece(System.currentTimeMillis(), update, succession.heirs().get()));
        return ByteString.fromString("event: " + (update.full() ? "snapshot" : "update") + "\ndata: " + json + "\n\n");
    }

    /** What follows {@code data:}. */
    record Piece(long now, RunUpdate run, List<URI> heirs) {}
}
