package io.rasterflow.streams.curate;

import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageHeader;
import io.rasterflow.streams.format.FoundSample;
import io.rasterflow.streams.format.SampleFields;
import java.io.IOException;
import java.util.Optional;

/** A sample about which the filters decide. Its image is read when a filter first asks for it, and once for all of them. */
public final class Candidate {

    private final FoundSample sample;
    private byte[] image;
    private Optional<ImageHeader> header;

    public Candidate(FoundSample sample) {
        this.sample = sample;
    }

    /** Name within the shard. */
    public String key() {
        return sample.entry().key();
    }

    /** Class, -1 if it has none. */
    public int label() {
        return sample.entry().label();
    }

    /** Bytes of the encoded image. */
    public int imageBytes() {
        return sample.entry().length();
    }

    /** Numbers and texts of its {@code .json} and {@code .txt} files or of its row. */
    public SampleFields fields() throws IOException {
        return sample.fields();
    }

    /** The encoded image; not to be changed. */
    public byte[] image() throws IOException {
        if (image == null) {
            image = sample.image();
        }
        return image;
    }

    /** Format and size; empty for bytes that are no readable image. */
    public Optional<ImageHeader> header() throws IOException {
        if (header == null) {
            try {
                header = Optional.of(ImageHeader.read(image()));
            } catch (DecodeException e) {
                header = Optional.empty();
            }
        }
        return header;
    }
}
