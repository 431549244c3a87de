package io.rasterflow.tests.streams;

import io.rasterflow.streams.curate.Scan;
import io.rasterflow.streams.format.SampleEntry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Shards as tests look at them, and tars as no library would write them. */
final class Found {

    private Found() {}

    static Path fixture(String name) {
        return Path.of("src/test/resources/streams/formats/" + name);
    }

    static List<String> keys(Scan scan) {
        return scan.samples().stream().map(SampleEntry::key).toList();
    }

    static List<Integer> labels(Scan scan) {
        return scan.samples().stream().map(SampleEntry::label).toList();
    }

    static byte[] image(Path tar, SampleEntry entry) throws IOException {
        byte[] bytes = Files.readAllBytes(tar);
        return Arrays.copyOfRange(bytes, (int) entry.offset(), (int) entry.offset() + entry.length());
    }

    /** Blocks with right checksums and whatever else is asked for. */
    static final class RawTar {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        RawTar file(String name, byte[] content) {
            return entry(name, '0', octal(content.length), content);
        }

        RawTar entry(String name, char type, byte[] size, byte[] content) {
            byte[] block = new byte[512];
            byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
            System.arraycopy(utf8, 0, block, 0, utf8.length);
            System.arraycopy(size, 0, block, 124, size.length);
            block[156] = (byte) type;
            System.arraycopy(TestData.text("ustar\0" + "00"), 0, block, 257, 8);
            Arrays.fill(block, 148, 156, (byte) ' ');
            int sum = 0;
            for (byte b : block) {
                sum += b & 0xFF;
            }
            System.arraycopy(TestData.text(String.format("%06o\0", sum)), 0, block, 148, 7);
            out.writeBytes(block);
            out.writeBytes(content);
            out.writeBytes(new byte[(512 - content.length % 512) % 512]);
            return this;
        }

        RawTar pax(String... records) {
            List<String> lines = new ArrayList<>();
            for (String record : records) {
                int length = record.length() + 3;
                while ((length + " " + record + "\n").length() != length) {
                    length++;
                }
                lines.add(length + " " + record + "\n");
            }
            byte[] content = TestData.text(String.join("", lines));
            return entry("pax", 'x', octal(content.length), content);
        }

        byte[] bytes() {
            byte[] body = out.toByteArray();
            return Arrays.copyOf(body, body.length + 1024);
        }

        Path write(Path file) throws IOException {
            return Files.write(file, bytes());
        }

        static byte[] octal(long size) {
            return TestData.text(String.format("%011o\0", size));
        }
    }
}
