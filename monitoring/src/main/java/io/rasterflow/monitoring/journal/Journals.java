package io.rasterflow.monitoring.journal;

import io.rasterflow.monitoring.event.Event;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.PriorityQueue;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** Reads all journals of a run as one. */
public final class Journals {

    private Journals() {}

    /** Whether a run directory holds any journal. */
    public static boolean exist(Path runDir) {
        return Files.isDirectory(Queues.folder(runDir));
    }

    /**
     * The events of all nodes, merged by time; events of one node keep their order. What is there at the moment of reading
     * is read: a journal may be in the middle of being written, torn, or hold damaged files. A run without journals gives
     * an empty stream.
     *
     * @return a sequential stream that holds files open: close it
     * @throws IOException when the folder cannot be listed
     */
    public static Stream<Event> read(Path runDir) throws IOException {
        return read(runDir, (node, what) -> {});
    }

    /**
     * As {@link #read(Path)}, and says where something was lost.
     *
     * @param damaged is told the name of a node's folder and what is wrong with it, while the stream is read
     */
    public static Stream<Event> read(Path runDir, BiConsumer<String, String> damaged) throws IOException {
        return read(runDir, damaged, true);
    }

    /** As {@link #readWithoutSamples(Path, BiConsumer)}, without a word of what was lost. */
    public static Stream<Event> readWithoutSamples(Path runDir) throws IOException {
        return readWithoutSamples(runDir, (node, what) -> {});
    }

    /**
     * As {@link #read(Path, BiConsumer)}, without the ledger of samples: leases and commits are most of a journal, and only
     * an audit needs them.
     */
    public static Stream<Event> readWithoutSamples(Path runDir, BiConsumer<String, String> damaged) throws IOException {
        return read(runDir, damaged, false);
    }

    private static Stream<Event> read(Path runDir, BiConsumer<String, String> damaged, boolean samples)
            throws IOException {
        Path folder = Queues.folder(runDir);
        List<NodeJournal> journals = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            try (Stream<Path> nodes = Files.list(folder)) {
                for (Path node : nodes.filter(Files::isDirectory).sorted().toList()) {
                    String name = node.getFileName().toString();
                    if (Journal.SET_ASIDE.matcher(name).find()) {
                        damaged.accept(name, "it was set aside and another begun");
                    }
                    journals.add(new NodeJournal(node, what -> damaged.accept(name, what), false, samples));
                }
            }
        }
        var merged =
                Spliterators.spliteratorUnknownSize(new Merge(journals), Spliterator.ORDERED | Spliterator.NONNULL);
        return StreamSupport.stream(merged, false).onClose(() -> journals.forEach(NodeJournal::close));
    }

    /** A head per journal; {@code latest} keeps a node's order when its clock was set back. */
    static final class Merge implements Iterator<Event> {

        private record Head(long time, int order, Event event, NodeJournal journal) {}

        private final PriorityQueue<Head> heads =
                new PriorityQueue<>(Comparator.comparingLong(Head::time).thenComparingInt(Head::order));

        Merge(List<NodeJournal> journals) {
            for (int i = 0; i < journals.size(); i++) {
                advance(journals.get(i), i, Long.MIN_VALUE);
            }
        }

        private void advance(NodeJournal journal, int order, long latest) {
            Event event = journal.next();
            if (event != null) {
                heads.add(new Head(Math.max(latest, event.timeMillis()), order, event, journal));
            }
        }

        @Override
        public boolean hasNext() {
            return !heads.isEmpty();
        }

        @Override
        public Event next() {
            Head head = heads.poll();
            if (head == null) {
                throw new NoSuchElementException();
            }
            advance(head.journal(), head.order(), head.time());
            return head.event();
        }
    }
}
