package io.rasterflow.streams.memory;

/** Faults in mapped memory, as they come when a file was cut short while it was mapped. */
public final class MappedFaults {

    /** Not a constant, lest the compiler make the array itself. */
    private static volatile int one = 1;

    private MappedFaults() {}

    /**
     * To be called where mapped memory has been read, whatever came of it. At a page that is missing, the JVM reads whatever, goes
     * on and throws when the thread next comes back from the JVM's own code; on JDK 17 to come back from a native method is not enough.
     * Arrays of arrays are always made by the JVM's own code, so that it throws here and not in whatever follows.
     *
     * @return nothing that matters
     * @throws InternalError if a page was missing
     */
    public static int raise() {
        return new byte[one][one].length;
    }
}
