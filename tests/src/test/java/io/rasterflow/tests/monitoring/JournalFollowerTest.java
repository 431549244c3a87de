package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.journal.JournalFollower;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalFollowerTest {

    @TempDir
    private Path run;

    private static List<Event> poll(JournalFollower follower) throws IOException {
        List<Event> events = new ArrayList<>();
        follower.poll(Integer.MAX_VALUE, events::add);
        return events;
    }

    @Test
    void whatIsWrittenComesOnceAndNodesThatJoinAreFound() throws IOException {
        try (JournalFollower follower = new JournalFollower(run)) {
            assertEquals(List.of(), poll(follower));
            try (Journal first = Journal.open(run, "a")) {
                first.append(SampleRun.step(0, 1));
                first.append(SampleRun.step(0, 3));
                try (Journal second = Journal.open(run, "b")) {
                    second.append(SampleRun.step(1, 2));
                    assertEquals(
                            List.of(SampleRun.step(0, 1), SampleRun.step(1, 2), SampleRun.step(0, 3)), poll(follower));
                    assertEquals(List.of(), poll(follower));
                    second.append(SampleRun.step(1, 4));
                    assertEquals(List.of(SampleRun.step(1, 4)), poll(follower));
                }
            }
            try (Journal again = Journal.open(run, "a")) {
                again.append(SampleRun.step(0, 5));
                assertEquals(List.of(SampleRun.step(0, 5)), poll(follower));
            }
        }
    }

    /** A journal is made in several steps, and may be met at any of them. */
    @Test
    void aJournalThatIsJustBegunIsReadAsSoonAsItCanBe() throws Exception {
        for (int round = 0; round < 25; round++) {
            Path fresh = run.resolve("run-" + round);
            CountDownLatch follows = new CountDownLatch(1);
            CompletableFuture<List<Event>> read = CompletableFuture.supplyAsync(() -> {
                List<Event> events = new ArrayList<>();
                try (JournalFollower follower = new JournalFollower(fresh)) {
                    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
                    while (events.size() < 2 && System.nanoTime() < end) {
                        follower.poll(Integer.MAX_VALUE, events::add);
                        follows.countDown();
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                return events;
            });
            follows.await();
            List<Event> written = List.of(SampleRun.step(0, 1), SampleRun.step(0, 2));
            try (Journal journal = Journal.open(fresh, "a")) {
                written.forEach(journal::append);
                assertEquals(written, read.get(20, TimeUnit.SECONDS), "in round " + round);
            }
        }
    }

    @Test
    void theNextHoursFileFollowsOnTheLast() throws IOException {
        Path folder;
        try (Journal journal = Journal.open(run, "a")) {
            folder = journal.folder();
            journal.append(SampleRun.step(0, 1));
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                if (file.toString().endsWith(".cq4")) {
                    Files.move(file, folder.resolve("20010102-03F.cq4"));
                } else {
                    Files.delete(file);
                }
            }
        }
        try (JournalFollower follower = new JournalFollower(run)) {
            assertEquals(List.of(SampleRun.step(0, 1)), poll(follower));
            assertEquals(List.of(), poll(follower));
            try (Journal journal = Journal.open(run, "a")) {
                journal.append(SampleRun.step(0, 2));
                journal.append(SampleRun.step(0, 3));
                assertEquals(List.of(SampleRun.step(0, 2), SampleRun.step(0, 3)), poll(follower));
            }
        }
    }

    @Test
    void aLongRunComesInPiecesWhileItGrows() throws IOException {
        try (Journal journal = Journal.open(run, "a");
                JournalFollower follower = new JournalFollower(run)) {
            List<Event> events = new ArrayList<>();
            for (long begin = 1; begin <= 9_000; begin += 3_000) {
                LongStream.range(begin, begin + 3_000).forEach(step -> journal.append(SampleRun.step(0, step)));
                assertEquals(2_000, follower.poll(2_000, events::add));
            }
            assertEquals(3_000, follower.poll(4_000, events::add));
            assertEquals(
                    LongStream.rangeClosed(1, 9_000).boxed().toList(),
                    events.stream().map(event -> ((Event.Step) event).step()).toList());
        }
    }
}
