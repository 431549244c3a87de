package io.rasterflow.streams.pack.source;

import io.rasterflow.streams.format.ShardFormatException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The image files below a folder, in the order of their paths. The folders directly below it are the classes, sorted by
 * name; images that lie beside them have no label. Hidden files, and files with other extensions, are left out.
 */
public final class FolderSource implements PackSource {

    private static final Set<String> EXTENSIONS = Set.of("png", "jpg", "jpeg", "webp", "gif");
    private static final long MAX_BYTES = 1L << 30;

    private final Path folder;
    private final String[] paths;
    private final List<String> classes;
    private final String identity;

    private FolderSource(Path folder, String[] paths, List<String> classes, String identity) {
        this.folder = folder;
        this.paths = paths;
        this.classes = classes;
        this.identity = identity;
    }

    /**
     * Lists a folder.
     *
     * @throws IOException one line, if it is no folder, cannot be read, or holds no image
     */
    public static FolderSource open(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new FileNotFoundException("no folder at " + folder + "; check --folder");
        }
        List<String> found = new ArrayList<>();
        try (Stream<Path> files = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String path = folder.relativize(file).toString();
                if (isImage(path) && Files.isRegularFile(file)) {
                    found.add(path);
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        if (found.isEmpty()) {
            throw new ShardFormatException(
                    folder.toString(), 0, "no image in the folder", "it must hold files such as CLASS/NAME.jpg");
        }
        Collections.sort(found);
        MessageDigest digest = Digests.sha256();
        Set<String> classes = new TreeSet<>();
        for (String path : found) {
            Digests.add(digest, path + " " + Files.size(folder.resolve(path)));
            if (path.indexOf('/') >= 0) {
                classes.add(path.substring(0, path.indexOf('/')));
            }
        }
        return new FolderSource(folder, found.toArray(String[]::new), List.copyOf(classes), Digests.name(digest));
    }

    private static boolean isImage(String path) {
        String extension = path.substring(path.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        return EXTENSIONS.contains(extension) && Arrays.stream(path.split("/")).noneMatch(name -> name.startsWith("."));
    }

    @Override
    public long size() {
        return paths.length;
    }

    @Override
    public boolean randomAccess() {
        return true;
    }

    @Override
    public List<String> classes() {
        return classes;
    }

    @Override
    public Map<String, String> identity() {
        return Map.of("--folder", "content " + identity);
    }

    @Override
    public PackItem item(long index) {
        String path = paths[(int) Objects.checkIndex(index, size())];
        int slash = path.indexOf('/');
        int label = slash < 0 ? PackSample.NO_LABEL : Collections.binarySearch(classes, path.substring(0, slash));
        return new PackItem(PackItem.key(index, path), path, () -> load(folder.resolve(path), label));
    }

    private static PackSample load(Path file, int label) throws IOException, SampleFailure {
        long size = Files.size(file);
        if (size > MAX_BYTES) {
            throw new SampleFailure("the file has " + size + " bytes, more than the limit of " + MAX_BYTES);
        }
        return new PackSample(Files.readAllBytes(file), label);
    }

    @Override
    public void close() {
        // Files are opened one by one.
    }
}
