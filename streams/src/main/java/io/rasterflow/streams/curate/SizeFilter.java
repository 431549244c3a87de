package io.rasterflow.streams.curate;

import io.rasterflow.streams.decode.ImageHeader;
import java.io.IOException;
import java.util.Optional;

/** Leaves out small and long images, by their header; 0 stands for any. */
record SizeFilter(int minSide, double maxAspect) implements SampleFilter {

    @Override
    public String name() {
        return "size";
    }

    @Override
    public Optional<String> reject(Candidate sample) throws IOException {
        Optional<ImageHeader> header = sample.header();
        if (header.isEmpty()) {
            return Optional.empty();
        }
        int shorter = Math.min(header.get().width(), header.get().height());
        int longer = Math.max(header.get().width(), header.get().height());
        if (shorter < minSide) {
            return Optional.of("small");
        }
        return maxAspect > 0 && longer > maxAspect * shorter ? Optional.of("aspect") : Optional.empty();
    }
}
