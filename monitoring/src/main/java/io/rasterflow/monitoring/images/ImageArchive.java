package io.rasterflow.monitoring.images;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The pictures of a run: one directory per step, complete or absent.
 *
 * <pre>
 * RUN/images/step-00000600/sheet.png    the picture
 *                          sheet.json   {@link Sheet}: what is on it
 * </pre>
 *
 * <p>Written under a temporary name in the same directory, forced to the disk, then renamed. Of more than {@link #CAPACITY}
 * steps those go that leave the smallest gap: the first and the newest stay, and the others stay evenly spread.
 */
public final class ImageArchive {

    /** Steps that are kept. */
    public static final int CAPACITY = 50;

    private static final String FOLDER = "images";
    private static final String PICTURE = "sheet.png";
    private static final String ABOUT = "sheet.json";
    private static final Pattern STEP = Pattern.compile("step-(\\d{8,18})");
    private static final Pattern FILE = Pattern.compile("(step-\\d{8,18})/(sheet\\.png|sheet\\.json)");
    private static final Pattern LEFTOVER = Pattern.compile("\\.step-\\d+-\\d+(-old)?\\.tmp");
    /** A writer that is alive is not silent for so long. */
    private static final long STALE_MILLIS = 60_000;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;

    public ImageArchive(Path runDirectory) {
        folder = runDirectory.resolve(FOLDER);
    }

    /**
     * Writes a picture, replacing one of the same step, and removes what is too much.
     *
     * @return its directory, relative to the run directory
     */
    public String write(byte[] png, Sheet about) throws IOException {
        String name = name(about.step());
        Path temporary = temporary(name, "");
        try {
            Files.createDirectories(folder);
            removeLeftovers();
            // A process of the same id may have been killed here, as in a container that was started again.
            delete(temporary);
            Files.createDirectory(temporary);
            write(temporary.resolve(PICTURE), png);
            write(temporary.resolve(ABOUT), JSON.writeValueAsBytes(about));
            remove(name);
            Files.move(temporary, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
            thin();
        } catch (IOException e) {
            try {
                delete(temporary);
            } catch (IOException left) {
                e.addSuppressed(left);
            }
            throw new IOException(
                    "the pictures of step " + about.step() + " cannot be written to " + folder + ": "
                            + e.getClass().getSimpleName() + " " + e.getMessage()
                            + "; check that the disk has space, or train without (monitor.images=0)",
                    e);
        }
        return FOLDER + "/" + name;
    }

    private static void write(Path file, byte[] bytes) throws IOException {
        Files.write(file, bytes, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.DSYNC);
    }

    /** The steps that have pictures, ascending. */
    public List<Long> steps() throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> step(entry.getFileName().toString()))
                    .flatMapToLong(OptionalLong::stream)
                    .sorted()
                    .boxed()
                    .toList();
        }
    }

    private static OptionalLong step(String name) {
        Matcher step = STEP.matcher(name);
        return step.matches() ? OptionalLong.of(Long.parseLong(step.group(1))) : OptionalLong.empty();
    }

    /**
     * A file by its path below the directory, such as {@code step-00000600/sheet.png}; whatever is not named as those are is
     * not there.
     */
    public Optional<byte[]> file(String path) throws IOException {
        Matcher named = FILE.matcher(path);
        if (!named.matches()) {
            return Optional.empty();
        }
        return read(folder.resolve(named.group(1)).resolve(named.group(2)));
    }

    /** Empty too when the file is removed at this moment. */
    private static Optional<byte[]> read(Path file) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Files.readAllBytes(file));
        } catch (NoSuchFileException removed) {
            return Optional.empty();
        }
    }

    /** A picture and what is on it. */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    public record Picture(byte[] png, Sheet about) {}

    /** The picture of a step, if it is there. */
    public Optional<Picture> picture(long step) throws IOException {
        Path directory = folder.resolve(name(step));
        Optional<byte[]> png = read(directory.resolve(PICTURE));
        Optional<byte[]> about = read(directory.resolve(ABOUT));
        return png.isEmpty() || about.isEmpty()
                ? Optional.empty()
                : Optional.of(new Picture(png.get(), JSON.readValue(about.get(), Sheet.class)));
    }

    /** The newest picture, if there is any. */
    public Optional<Picture> newest() throws IOException {
        List<Long> steps = steps();
        // One that was the newest may be removed meanwhile, when others have come after it.
        for (int i = steps.size() - 1; i >= 0; i--) {
            Optional<Picture> picture = picture(steps.get(i));
            if (picture.isPresent()) {
                return picture;
            }
        }
        return Optional.empty();
    }

    private void thin() throws IOException {
        List<Long> steps = new ArrayList<>(steps());
        while (steps.size() > CAPACITY) {
            int least = 1;
            for (int i = 2; i < steps.size() - 1; i++) {
                if (gapWithout(steps, i) < gapWithout(steps, least)) {
                    least = i;
                }
            }
            remove(name(steps.remove(least)));
        }
    }

    private static long gapWithout(List<Long> steps, int i) {
        return steps.get(i + 1) - steps.get(i - 1);
    }

    private static String name(long step) {
        return String.format(Locale.ROOT, "step-%08d", step);
    }

    private Path temporary(String name, String suffix) {
        return folder.resolve("." + name + "-" + ProcessHandle.current().pid() + suffix + ".tmp");
    }

    /** A step goes as a whole, so that readers never see half of it. */
    private void remove(String name) throws IOException {
        if (Files.isDirectory(folder.resolve(name), LinkOption.NOFOLLOW_LINKS)) {
            Path removed = temporary(name, "-old");
            delete(removed);
            Files.move(folder.resolve(name), removed, StandardCopyOption.ATOMIC_MOVE);
            delete(removed);
        }
    }

    private void removeLeftovers() throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(
                folder,
                entry -> LEFTOVER.matcher(entry.getFileName().toString()).matches())) {
            for (Path entry : entries) {
                if (System.currentTimeMillis()
                                - Files.getLastModifiedTime(entry).toMillis()
                        > STALE_MILLIS) {
                    delete(entry);
                }
            }
        }
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }
}
