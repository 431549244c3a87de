package io.rasterflow.streams.pack.source;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** A sequence of images to pack, the same every time it is opened. One thread asks for items; any thread loads them. */
public interface PackSource extends Closeable {

    /** Number of items. */
    long size();

    /** Whether items can be asked for in any order; otherwise in ascending order is fast and going back is slow. */
    boolean randomAccess();

    /** How many items may be loaded at a time because loading is mostly waiting; 0 if it is work for the processor. */
    default int connections() {
        return 0;
    }

    /** Names of the labels 0, 1, …; empty if the source knows none. */
    List<String> classes();

    /**
     * What tells this input from another: by option or property, the same whenever the same content is packed again from
     * wherever it lies.
     */
    Map<String, String> identity();

    /**
     * The item at {@code index}, without loading its image.
     *
     * @throws IOException one line, if the source as a whole cannot be read
     */
    PackItem item(long index) throws IOException;
}
