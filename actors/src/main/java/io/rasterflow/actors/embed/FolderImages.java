package io.rasterflow.actors.embed;

import io.rasterflow.streams.decode.DecodeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The PNG and JPEG files of a folder and its subfolders, in the order of their paths. The label of an image is the number
 * of its first subfolder among the sorted subfolders, -1 directly in the folder.
 */
final class FolderImages implements EncodedImages {
    private static final long LARGEST_FILE = 1L << 30;

    private final Path folder;
    private final List<Path> images;
    private final List<String> classes;
    private final Iterator<Path> left;

    FolderImages(Path folder) throws IOException {
        this.folder = folder;
        try (Stream<Path> walk = Files.walk(folder)) {
            images = walk.filter(Files::isRegularFile)
                    .filter(file -> file.getFileName()
                            .toString()
                            .toLowerCase(Locale.ROOT)
                            .matches(".*\\.(png|jpg|jpeg)"))
                    .sorted()
                    .toList();
        }
        TreeSet<String> names = new TreeSet<>();
        images.forEach(image -> names.addAll(subfolder(image).stream().toList()));
        classes = List.copyOf(names);
        left = images.iterator();
    }

    private Optional<String> subfolder(Path image) {
        Path relative = folder.relativize(image);
        return relative.getNameCount() > 1 ? Optional.of(relative.getName(0).toString()) : Optional.empty();
    }

    @Override
    public long size() {
        return images.size();
    }

    @Override
    public Optional<Image> next() {
        if (!left.hasNext()) {
            return Optional.empty();
        }
        Path image = left.next();
        String key = folder.relativize(image).toString();
        int label = subfolder(image).map(classes::indexOf).orElse(-1);
        return Optional.of(new Image(key, image.toString(), label, () -> read(image)));
    }

    private static byte[] read(Path image) throws IOException, DecodeException {
        if (Files.size(image) > LARGEST_FILE) {
            throw new DecodeException("it has " + Files.size(image) + " bytes");
        }
        return Files.readAllBytes(image);
    }

    @Override
    public void close() {}
}
