package io.rasterflow.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The bundled experiments: one named file each, whose header gives paper, data, cost, score and command. A jar cannot be
 * listed, so their names stand here.
 */
public final class Presets {

    private static final String FOLDER = "io/rasterflow/presets/";

    /** What `rasterflow train` does without options; the values of every key that a preset leaves out. */
    public static final String DEFAULTS = "defaults";

    /** Every preset, small ones first. */
    public static final List<String> NAMES = List.of(
            "defaults",
            "aim-fashion-full",
            "aim-nano",
            "aim-tiny",
            "aim-small",
            "aim-600m",
            "aim-1b",
            "aim-3b",
            "aim-7b");

    /** Bundled lists of runs for {@code rasterflow sweep}. */
    public static final List<String> SWEEPS = List.of("ablations", "scaling");

    private Presets() {}

    /** Resource of a preset or a sweep. */
    public static String resource(String name) {
        return FOLDER + name + ".conf";
    }

    /** The first line of the header. */
    public static String title(String name) {
        String path = resource(name);
        try (InputStream in = Presets.class.getClassLoader().getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException("the preset " + path + " is missing; rebuild cluster-config");
            }
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return text.lines().findFirst().orElse("").replaceFirst("^#\\s*", "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
