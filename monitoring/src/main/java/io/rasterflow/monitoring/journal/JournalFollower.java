package io.rasterflow.monitoring.journal;

import io.rasterflow.monitoring.event.Event;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Reads the journals of a run while they are written: what is there first, merged by time, and at each call what has come
 * since. Nodes that join later are found. Not thread-safe.
 */
public final class JournalFollower implements AutoCloseable {

    private final Path folder;
    private final boolean samples;
    private final Map<Path, NodeJournal> journals = new TreeMap<>();
    /** Null when everything that was there has been handed on. */
    private Journals.Merge merge;

    /** Without the ledger of samples: leases and commits are most of a journal. */
    public JournalFollower(Path runDir) {
        this(runDir, false);
    }

    /** @param samples whether the ledger of samples is handed on as well */
    public JournalFollower(Path runDir, boolean samples) {
        folder = Queues.folder(runDir);
        this.samples = samples;
    }

    /**
     * Hands on events that were not handed on yet.
     *
     * @param limit how many at most
     * @return how many; fewer than {@code limit} when there are no more at this moment
     * @throws IOException when the folder cannot be listed
     */
    public int poll(int limit, Consumer<Event> consumer) throws IOException {
        if (merge == null) {
            findNodes();
            merge = new Journals.Merge(new ArrayList<>(journals.values()));
        }
        int events = 0;
        while (events < limit && merge.hasNext()) {
            consumer.accept(merge.next());
            events++;
        }
        if (!merge.hasNext()) {
            merge = null;
        }
        return events;
    }

    private void findNodes() throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        List<Path> nodes;
        try (Stream<Path> found = Files.list(folder)) {
            nodes = found.filter(Files::isDirectory).toList();
        }
        for (Path node : nodes) {
            if (!journals.containsKey(node)) {
                journals.put(node, new NodeJournal(node, damage -> {}, true, samples));
            }
        }
    }

    @Override
    public void close() {
        journals.values().forEach(NodeJournal::close);
    }
}
