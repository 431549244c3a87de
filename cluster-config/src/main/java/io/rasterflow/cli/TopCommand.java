package io.rasterflow.cli;

import io.rasterflow.config.ConfigException;
import io.rasterflow.monitoring.monitor.RunUpdate;
import io.rasterflow.monitoring.top.Frame;
import io.rasterflow.monitoring.top.JournalSource;
import io.rasterflow.monitoring.top.PageSource;
import io.rasterflow.monitoring.top.Screen;
import io.rasterflow.monitoring.top.Source;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jline.utils.AttributedString;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rasterflow top}: a run in the terminal. */
@Command(
        name = "top",
        description =
                "Shows a run in the terminal and follows it, once a second: loss, speed, time left, where the time of a"
                        + " step goes, nodes, slow ranks, events. q or Ctrl-C ends it; the run goes on.")
final class TopCommand implements Callable<Integer> {

    /** Lines of a frame that is not for a window. */
    private static final int LINES = 40;

    private static final int COLUMNS = 80;

    /** One of the two. */
    static final class Where {
        @Option(
                names = "--run",
                required = true,
                paramLabel = "DIR",
                description = "Run directory: reads its journals.")
        private Path run;

        @Option(
                names = "--url",
                required = true,
                paramLabel = "URL",
                description = "Address of a run's page, as `train` prints it.")
        private URI url;
    }

    @ArgGroup(multiplicity = "1")
    private Where where;

    @Option(names = "--once", description = "Prints one frame as plain text and ends.")
    private boolean once;

    @Override
    public Integer call() throws IOException {
        if (!once && !Boolean.getBoolean("rasterflow.terminal")) {
            throw new ConfigException("top needs a terminal, and this output is none; --once prints one frame");
        }
        try (Source source = open()) {
            if (once) {
                print(source);
            } else {
                try (Screen screen = new Screen()) {
                    screen.show(source);
                }
            }
        }
        return 0;
    }

    private Source open() throws IOException {
        if (where.run != null) {
            if (!Files.isDirectory(where.run)) {
                throw new ConfigException(where.run + " is not a run directory");
            }
            return new JournalSource(where.run);
        }
        String scheme = where.url.getScheme();
        if (where.url.getHost() == null || scheme == null || !scheme.matches("https?")) {
            throw new ConfigException("--url " + where.url + " is no http address; give the one that `train` printed,"
                    + " such as http://127.0.0.1:8080/");
        }
        return new PageSource(where.url);
    }

    private static void print(Source source) throws IOException {
        RunUpdate run = source.run();
        while (source.behind()) {
            run = source.run();
        }
        int columns = Integer.getInteger("rasterflow.columns", COLUMNS);
        for (AttributedString line : Frame.of(run, source.note(), System.currentTimeMillis(), columns, LINES)) {
            System.out.println(line.toString().stripTrailing());
        }
    }
}
