package io.rasterflow.streams.decode;

/**
 * What the bytes of an image say before anything is decoded: format and size, and whether they are whole. OpenCV would
 * allocate whatever size a header claims, and would fill up the missing part of a file that was cut short.
 *
 * @param width pixels, once the orientation of the camera has been undone
 * @param height likewise
 */
public record ImageHeader(Format format, int width, int height) {

    /** Formats that are read. */
    public enum Format {
        PNG,
        JPEG,
        WEBP,
        GIF
    }

    /**
     * Reads the header and walks the structure: PNG chunk by chunk with checksums, JPEG marker by marker, WebP chunk by
     * chunk to the first frame, GIF block by block to the end of the first frame.
     *
     * @throws DecodeException if it is of another format, or not whole
     */
    public static ImageHeader read(byte[] bytes) throws DecodeException {
        Layout layout = new Layout();
        layout.read(bytes);
        return layout.header();
    }
}
