package io.rasterflow.streams.curate;

import io.rasterflow.streams.format.SampleFields;
import java.io.IOException;
import java.util.Optional;

/** Leaves out samples with fewer words in their caption. */
record CaptionFilter(int minWords) implements SampleFilter {

    @Override
    public String name() {
        return "caption";
    }

    @Override
    public Optional<String> reject(Candidate sample) throws IOException {
        String caption = sample.fields().text(SampleFields.CAPTION).orElse("").strip();
        int words = caption.isEmpty() ? 0 : caption.split("\\s+").length;
        return words < minWords ? Optional.of("caption") : Optional.empty();
    }
}
