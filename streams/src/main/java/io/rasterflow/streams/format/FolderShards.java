package io.rasterflow.streams.format;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A folder of image files, also in folders within it, cut into slices that stand for shards.
 *
 * <p>The order is that of the names, folder by folder, and does not depend on the file system. If all images lie in folders
 * within the root, those are the classes: label 0 is the first in the order of names that holds an image. Hidden files and
 * folders, files that are no images by name, links that lead out of the root and links to folders are left out and counted.
 *
 * <p>About 60 bytes of memory are kept for each file with a path of 40 characters; while a folder is listed, the names of its
 * files too.
 */
public final class FolderShards {

    /** Files in a slice, unless said otherwise. */
    public static final int FILES_PER_SLICE = 2_000;

    private static final int MAX_DEPTH = 64;

    private final Path root;
    private final Path realRoot;
    private final int filesPerSlice;
    private final List<FolderSlice> slices = new ArrayList<>();
    private final List<String> classNames;
    private final boolean givenClasses;
    private final SortedMap<String, Integer> leftOut = new TreeMap<>();
    private PackedEntries filling = new PackedEntries();
    private long size;

    private FolderShards(Path root, int filesPerSlice, List<String> classes) throws IOException {
        this.root = root;
        this.realRoot = root.toRealPath();
        this.filesPerSlice = filesPerSlice;
        this.classNames = new ArrayList<>(classes);
        this.givenClasses = !classes.isEmpty();
    }

    /** As {@link #list(Path, int, List)}, with the classes that are found. */
    public static FolderShards list(Path root) throws IOException {
        return list(root, FILES_PER_SLICE, List.of());
    }

    /**
     * Lists the images.
     *
     * @param filesPerSlice files in every slice but the last
     * @param classes names of the folders that are the classes, label 0 first, so that a validation set has the labels of its
     *     training set; empty to take those that are there
     * @throws IOException one line, if a folder is missing or cannot be read, or is none of the classes
     */
    public static FolderShards list(Path root, int filesPerSlice, List<String> classes) throws IOException {
        if (filesPerSlice < 1) {
            throw new IllegalArgumentException("files of a slice must be at least 1 but are " + filesPerSlice);
        }
        if (!Files.isDirectory(root)) {
            throw new FileNotFoundException("no folder at " + root + "; check the path");
        }
        FolderShards shards = new FolderShards(root, filesPerSlice, classes);
        shards.listRoot();
        shards.finishSlice();
        return shards;
    }

    public Path root() {
        return root;
    }

    public List<FolderSlice> slices() {
        return Collections.unmodifiableList(slices);
    }

    /** Images in all slices together. */
    public long size() {
        return size;
    }

    /** Names of the labels 0, 1, …; empty if the images have none. */
    public List<String> classNames() {
        return Collections.unmodifiableList(classNames);
    }

    /** Files and links that were left out, by cause. */
    public SortedMap<String, Integer> leftOut() {
        return Collections.unmodifiableSortedMap(leftOut);
    }

    private void listRoot() throws IOException {
        List<String> names = names(root);
        boolean classes = names.stream().noneMatch(name -> isImage(name) && Files.isRegularFile(root.resolve(name)));
        if (givenClasses && !classes) {
            throw new IOException(root + " holds images beside the folders of its classes; move them into those");
        }
        for (String name : names) {
            Path path = root.resolve(name);
            if (!classes || !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                visit(path, name, SampleEntry.NO_LABEL, 0);
                continue;
            }
            long before = size;
            int label = givenClasses ? classNames.indexOf(name) : classNames.size();
            visit(path, name, label, 0);
            if (size > before && label < 0) {
                throw new IOException("the folder " + path + " is none of the classes " + classNames
                        + "; remove it, or train with it");
            } else if (size > before && !givenClasses) {
                classNames.add(name);
            }
        }
    }

    private void visit(Path path, String key, int label, int depth) throws IOException {
        if (path.getFileName().toString().startsWith(".")) {
            count("hidden");
            return;
        }
        BasicFileAttributes attributes;
        try {
            attributes = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            count("gone, or its name is no text in the locale of this process");
            return;
        }
        if (attributes.isDirectory()) {
            if (depth == MAX_DEPTH) {
                throw new IOException(path + " lies more than " + MAX_DEPTH + " folders deep; move it up");
            }
            for (String name : names(path)) {
                visit(path.resolve(name), key + "/" + name, label, depth + 1);
            }
        } else if (attributes.isSymbolicLink()) {
            link(path, key, label);
        } else {
            file(attributes, key, label);
        }
    }

    private void link(Path path, String key, int label) throws IOException {
        try {
            BasicFileAttributes target = Files.readAttributes(path, BasicFileAttributes.class);
            if (target.isDirectory()) {
                count("link to a folder");
            } else if (!path.toRealPath().startsWith(realRoot)) {
                count("link out of the folder");
            } else {
                file(target, key, label);
            }
        } catch (FileSystemException e) {
            count("broken link");
        }
    }

    private void file(BasicFileAttributes attributes, String key, int label) {
        if (!attributes.isRegularFile() || !isImage(key)) {
            count("no image");
        } else if (attributes.size() > Integer.MAX_VALUE - 8) {
            count(TarSamples.TOO_LARGE);
        } else {
            filling.add(key, (int) attributes.size(), label);
            size++;
            if (filling.size() == filesPerSlice) {
                finishSlice();
            }
        }
    }

    private void finishSlice() {
        if (!filling.isEmpty()) {
            filling.trim();
            slices.add(new FolderSlice(root, slices.size(), filling));
            filling = new PackedEntries();
        }
    }

    /** In the order of their UTF-16 units, whatever the locale. */
    private static List<String> names(Path folder) throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            files.forEach(file -> names.add(file.getFileName().toString()));
        } catch (AccessDeniedException e) {
            throw new IOException("the folder " + folder + " cannot be read; check its permissions", e);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        Collections.sort(names);
        return names;
    }

    private static boolean isImage(String name) {
        return SampleKey.isImage(name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT));
    }

    private void count(String cause) {
        leftOut.merge(cause, 1, Integer::sum);
    }
}
