package io.rasterflow.monitoring.images;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageInputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Cuts a picture of predictions into its panels. */
public final class Panels {

    private Panels() {}

    /**
     * Every panel as a PNG file with a side of {@link Sheet#size()}, by a name such as {@code image 1/truth}; equal panels
     * are equal bytes.
     *
     * @throws IOException when the picture is no PNG file or smaller than what is said to be on it
     */
    public static Map<String, byte[]> of(ImageArchive.Picture picture) throws IOException {
        Sheet about = picture.about();
        BufferedImage sheet = ImageIO.read(new MemoryCacheImageInputStream(new ByteArrayInputStream(picture.png())));
        int cell = about.size() + about.gap();
        if (sheet == null
                || sheet.getWidth() < cell * about.panels().size() - about.gap()
                || sheet.getHeight() < cell * about.images().size() - about.gap()) {
            throw new IOException("the picture of step " + about.step() + " is not what its description says");
        }
        Map<String, byte[]> panels = new LinkedHashMap<>();
        for (int row = 0; row < about.images().size(); row++) {
            for (int column = 0; column < about.panels().size(); column++) {
                panels.put(
                        "image " + (row + 1) + "/" + about.panels().get(column),
                        png(sheet.getSubimage(column * cell, row * cell, about.size(), about.size())));
            }
        }
        return panels;
    }

    private static byte[] png(BufferedImage panel) throws IOException {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(png)) {
            ImageIO.write(panel, "png", out);
        }
        return png.toByteArray();
    }
}
