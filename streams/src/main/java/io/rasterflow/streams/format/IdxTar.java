package io.rasterflow.streams.format;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** IDX images, with the labels beside them if there are any, as a tar of grey PNGs. */
public final class IdxTar {

    private IdxTar() {}

    /**
     * Names that the labels of an images file may have, the likeliest first; for whoever fetches them. The labels of
     * {@code train-images-idx3-ubyte.gz} are {@code train-labels-idx1-ubyte.gz} or the same without {@code .gz}.
     *
     * @param images name or path of the images; nothing but its last part is changed
     * @return nothing if the name does not say that these are images
     */
    public static List<String> labelNames(String images) {
        int name = images.lastIndexOf('/') + 1;
        String labels = images.substring(name).replace("images", "labels").replace("idx3", "idx1");
        if (images.endsWith(labels)) {
            return List.of();
        }
        String plain = labels.endsWith(".gz") ? labels.substring(0, labels.length() - 3) : labels;
        List<String> names = new ArrayList<>(List.of(plain, plain + ".gz"));
        names.remove(labels);
        names.add(0, labels);
        return names.stream().map(found -> images.substring(0, name) + found).toList();
    }

    static Optional<Damage> write(Path file, String shard, OutputStream out) throws IOException {
        Optional<Path> labelFile = labelNames(file.getFileName().toString()).stream()
                .map(file::resolveSibling)
                .filter(Files::isRegularFile)
                .findFirst();
        try (IdxReader images = IdxReader.open(file, shard, 3);
                IdxReader labels = labelFile.isEmpty() ? null : IdxReader.open(labelFile.get(), 1)) {
            if (labels != null && labels.count() != images.count()) {
                throw new ShardFormatException(
                        shard,
                        4,
                        images.count() + " images but " + labels.count() + " labels in " + labelFile.get(),
                        "put the two files of one split beside each other");
            }
            SampleTar tar = new SampleTar(out);
            Optional<ShardFormatException> fault = write(images, labels, tar);
            tar.finish();
            return fault.map(e -> new Damage(tar.size(), e.fault(), e.advice()));
        }
    }

    private static Optional<ShardFormatException> write(IdxReader images, IdxReader labels, SampleTar tar)
            throws IOException {
        byte[] pixels = new byte[images.itemBytes()];
        byte[] label = new byte[1];
        for (int i = 0; i < images.count(); i++) {
            try {
                images.next(pixels);
                if (labels != null) {
                    labels.next(label);
                }
            } catch (ShardFormatException e) {
                return Optional.of(e);
            }
            String key = String.format(Locale.ROOT, "%08d", i);
            if (labels != null) {
                tar.put(key + ".cls", Integer.toString(label[0] & 0xFF).getBytes(StandardCharsets.US_ASCII));
            }
            tar.put(key + ".png", GreyPng.encodePlain(pixels, images.dimension(2), images.dimension(1)));
        }
        return Optional.empty();
    }
}
