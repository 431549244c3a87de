package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.zip.InflaterInputStream;

/** The small images of {@code resources/streams/decode}, and what Pillow makes of them. */
final class DecodeFixtures {

    private static final String FOLDER = "/streams/decode/";

    private DecodeFixtures() {}

    /**
     * One image.
     *
     * @param rgb (H, W, 3) values that Pillow decodes
     * @param grey (H, W) likewise
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Fixture(String name, byte[] file, int width, int height, byte[] rgb, byte[] grey) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Fixture> all() {
        String lines = new String(bytes("pillow_decoded.txt"), StandardCharsets.US_ASCII);
        return lines.lines().map(DecodeFixtures::fixture).toList();
    }

    static byte[] bytes(String name) {
        try (InputStream in = DecodeFixtures.class.getResourceAsStream(FOLDER + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Fixture fixture(String line) {
        String[] fields = line.split(" ");
        assertEquals(5, fields.length, line);
        return new Fixture(
                fields[0],
                bytes(fields[0]),
                Integer.parseInt(fields[1]),
                Integer.parseInt(fields[2]),
                inflated(fields[3]),
                inflated(fields[4]));
    }

    private static byte[] inflated(String base64) {
        byte[] deflated = Base64.getDecoder().decode(base64);
        try (InputStream in = new InflaterInputStream(new ByteArrayInputStream(deflated))) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
