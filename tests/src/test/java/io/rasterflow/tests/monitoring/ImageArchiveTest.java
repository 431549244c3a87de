package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.images.ImageArchive.Picture;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Paired
class ImageArchiveTest {

    @TempDir
    private Path run;

    @Test
    void whatIsWrittenIsListedAndRead() throws IOException {
        ImageArchive archive = new ImageArchive(run);
        assertEquals(List.of(), archive.steps());
        assertEquals(Optional.empty(), archive.newest());
        assertEquals("images/step-00000600", SampleImages.write(archive, 600));
        SampleImages.write(archive, 0);
        assertEquals(List.of(0L, 600L), archive.steps());
        Picture newest = archive.newest().orElseThrow();
        assertEquals(SampleImages.about(600), newest.about());
        assertArrayEquals(archive.file("step-00000600/sheet.png").orElseThrow(), newest.png());
        // The same step again, as after a resume.
        byte[] other = {1, 2, 3};
        archive.write(other, SampleImages.about(600));
        assertArrayEquals(other, archive.file("step-00000600/sheet.png").orElseThrow());
        assertEquals(List.of(0L, 600L), archive.steps());
    }

    @Test
    void theStepsThatAreKeptStayEvenlySpread() throws IOException {
        ImageArchive archive = new ImageArchive(run);
        for (long step = 0; step <= 230; step++) {
            archive.write(new byte[] {1}, SampleImages.about(step));
            List<Long> steps = archive.steps();
            assertTrue(steps.size() <= ImageArchive.CAPACITY, steps.toString());
            assertEquals(0, steps.get(0));
            assertEquals(step, steps.get(steps.size() - 1));
        }
        List<Long> steps = archive.steps();
        assertEquals(ImageArchive.CAPACITY, steps.size());
        for (int i = 1; i < steps.size(); i++) {
            long gap = steps.get(i) - steps.get(i - 1);
            assertTrue(gap <= 8, "a gap of " + gap + " in " + steps);
        }
    }

    @Test
    void whatAKilledWriterLeftIsNotListedAndGoes() throws IOException {
        ImageArchive archive = new ImageArchive(run);
        SampleImages.write(archive, 600);
        Path left = Files.createDirectory(run.resolve("images/.step-00001200-4711.tmp"));
        Files.writeString(left.resolve("sheet.png"), "half");
        assertEquals(List.of(600L), archive.steps());
        SampleImages.write(archive, 1_200);
        assertTrue(Files.exists(left), "its writer may be alive");
        Files.setLastModifiedTime(left, FileTime.fromMillis(System.currentTimeMillis() - 120_000));
        SampleImages.write(archive, 1_800);
        assertTrue(Files.notExists(left));
        assertEquals(List.of(600L, 1_200L, 1_800L), archive.steps());
    }

    @Test
    void whatAKilledWriterOfTheSameProcessIdLeftIsInNobodysWay() throws IOException {
        ImageArchive archive = new ImageArchive(run);
        long pid = ProcessHandle.current().pid();
        for (String left : List.of(".step-00000600-" + pid + ".tmp", ".step-00000600-" + pid + "-old.tmp")) {
            Files.createDirectories(run.resolve("images").resolve(left));
            Files.writeString(run.resolve("images").resolve(left).resolve("sheet.png"), "half");
        }
        SampleImages.write(archive, 600);
        SampleImages.write(archive, 600);
        assertEquals(SampleImages.about(600), archive.newest().orElseThrow().about());
        try (Stream<Path> entries = Files.list(run.resolve("images"))) {
            assertEquals(List.of(run.resolve("images/step-00000600")), entries.toList());
        }
    }

    @Test
    void theNewestThatCanBeReadIsTaken() throws IOException {
        ImageArchive archive = new ImageArchive(run);
        SampleImages.write(archive, 600);
        Files.createDirectory(run.resolve("images/step-00001200"));
        assertEquals(SampleImages.about(600), archive.newest().orElseThrow().about());
    }

    /** Replaces the newest picture and removes older ones, while it is read. */
    @Test
    void readersSeeWholePicturesWhileOthersComeAndGo() throws Exception {
        ImageArchive archive = new ImageArchive(run);
        SampleImages.write(archive, 0);
        CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> {
            try {
                for (long step = 1; step < 3 * ImageArchive.CAPACITY; step++) {
                    SampleImages.write(archive, step);
                    SampleImages.write(archive, step);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        while (!writer.isDone()) {
            assertTrue(archive.newest().isPresent());
            for (long step : archive.steps()) {
                archive.picture(step)
                        .ifPresent(picture -> assertEquals(step, picture.about().step()));
            }
        }
        writer.get();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "step-00000600",
                "step-00000600/",
                "step-00000600/sheet.png/",
                "step-00000600/sheet.png\n",
                "step-00000600/other.png",
                "step-600/sheet.png",
                "step-00000600/../../secret",
                "step-00000600/../step-00000600/sheet.png",
                "../secret",
                "/etc/passwd",
                ".step-00000600-1.tmp/sheet.png",
                "step-٠٠٠٠٠٦٠٠/sheet.png"
            })
    void whateverIsNamedOtherwiseIsNotThere(String path) throws IOException {
        ImageArchive archive = new ImageArchive(run);
        SampleImages.write(archive, 600);
        Files.writeString(run.resolve("secret"), "s");
        Files.writeString(run.resolve("images/step-00000600/other.png"), "s");
        assertEquals(Optional.empty(), archive.file(path));
    }

    @Test
    void aLinkIsNotFollowed() throws IOException {
        ImageArchive archive = new ImageArchive(run);
        SampleImages.write(archive, 600);
        Files.writeString(run.resolve("secret"), "s");
        Path file = run.resolve("images/step-00000600/sheet.png");
        Files.delete(file);
        Files.createSymbolicLink(file, run.resolve("secret"));
        assertEquals(Optional.empty(), archive.file("step-00000600/sheet.png"));
    }

    @Test
    void aFolderThatCannotBeWrittenGivesOneClearLine() throws IOException {
        Files.writeString(run.resolve("images"), "in the way");
        ImageArchive archive = new ImageArchive(run);
        IOException failure = assertThrows(IOException.class, () -> SampleImages.write(archive, 600));
        assertTrue(failure.getMessage().startsWith("the pictures of step 600 cannot be written to " + run));
        assertTrue(failure.getMessage().endsWith("train without (monitor.images=0)"), failure.getMessage());
    }
}
