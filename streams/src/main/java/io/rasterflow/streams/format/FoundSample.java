package io.rasterflow.streams.format;

import java.io.IOException;

/** A sample that a scan has come by; may only be used until the scan goes on. */
public interface FoundSample {

    /** Where it lies, with its label. */
    SampleEntry entry();

    /** What is told about it. */
    SampleFields fields() throws IOException;

    /** The encoded image; read on every call. */
    byte[] image() throws IOException;
}
